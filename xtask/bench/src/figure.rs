//! What is measured, in the words of the page that it ends on.

use serde::Serialize;
use std::fmt;

/// One row of the page.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// What the server did.
    pub(crate) ours: String,
    /// What the bare program did; empty where there is none.
    pub(crate) reference: String,
    /// What is held against the target.
    pub(crate) result: String,
    /// Empty where there is none.
    pub(crate) target: String,
    pub(crate) met: bool,
}

/// What a figure shall be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// One run of ours and the run of the reference beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) ours: f64,
    pub(crate) reference: f64,
}

impl Pair {
    /// Ours in proportion to the reference.
    pub(crate) fn ratio(&self) -> f64 {
        self.ours / self.reference
    }
}

impl Target {
    fn is_met(self, by: f64) -> bool {
        match self {
            Self::AtLeast(least) => by >= least,
            Self::AtMost(most) => by <= most,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
        }
    }
}

impl Figure {
    /// Ours in proportion to the reference: the median of what each pair of runs gives.
    pub(crate) fn ratio(
        what: &str,
        pairs: &[Pair],
        shown: fn(f64) -> String,
        target: Option<Target>,
    ) -> Self {
        let ratios: Vec<f64> = pairs.iter().map(Pair::ratio).collect();
        let of = |side: fn(&Pair) -> f64| shown(median(&pairs.iter().map(side).collect::<Vec<_>>()));
        Self {
            what: what.into(),
            ours: of(|pair| pair.ours),
            reference: of(|pair| pair.reference),
            result: spread(&ratios, |ratio| format!("{ratio:.2}")),
            target: target.map(|target| target.to_string()).unwrap_or_default(),
            met: target.is_none_or(|target| target.is_met(median(&ratios))),
        }
    }

    /// What ours takes longer than the reference, in milliseconds: the median of what each pair of runs gives.
    pub(crate) fn difference(what: &str, pairs: &[Pair], target: Option<Target>) -> Self {
        let of =
            |side: fn(&Pair) -> f64| median(&pairs.iter().map(|pair| side(pair) * 1e3).collect::<Vec<_>>());
        let more: Vec<f64> = pairs.iter().map(|pair| (pair.ours - pair.reference) * 1e3).collect();
        Self {
            ours: format!("{:.1} ms", of(|pair| pair.ours)),
            reference: format!("{:.1} ms", of(|pair| pair.reference)),
            ..Self::alone(what, &more, "ms", target)
        }
    }

    /// One that cannot be measured here.
    pub(crate) fn skipped(what: &str, reason: &str) -> Self {
        eprintln!("******** SKIPPED: {what}. Reason: {reason} ********");
        Self {
            what: what.into(),
            ours: String::new(),
            reference: String::new(),
            result: format!("not measured: {reason}"),
            target: String::new(),
            met: true,
        }
    }

    /// A figure that stands by itself.
    pub(crate) fn alone(what: &str, values: &[f64], unit: &str, target: Option<Target>) -> Self {
        let middle = median(values);
        let digits = usize::from(middle < 10.0);
        let result = spread(values, |value| format!("{value:.digits$}"));
        Self {
            what: what.into(),
            ours: format!("{middle:.digits$} {unit}"),
            reference: String::new(),
            result: format!("{result} {unit}"),
            target: target.map(|target| format!("{target} {unit}")).unwrap_or_default(),
            met: target.is_none_or(|target| target.is_met(middle)),
        }
    }
}

/// Such as '18,400/s'.
pub(crate) fn rate(per_second: f64) -> String {
    let digits = format!("{per_second:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}/s")
}

/// Such as '21.4 µs'.
pub(crate) fn time(seconds: f64) -> String {
    format!("{:.1} µs", seconds * 1e6)
}

/// The value in the middle; of two, the greater.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn spread(values: &[f64], shown: impl Fn(f64) -> String) -> String {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} ({} to {})", shown(median(values)), shown(lowest), shown(highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_pairs_is_held_against_the_target() {
        let pairs = [(50.0, 100.0), (90.0, 100.0), (800.0, 1000.0)];
        let pairs = pairs.map(|(ours, reference)| Pair { ours, reference });
        let figure = Figure::ratio("x", &pairs, rate, Some(Target::AtLeast(0.8)));
        assert_eq!(figure.result, "0.80 (0.50 to 0.90)");
        assert!(figure.met);
        assert!(!Figure::ratio("x", &pairs, rate, Some(Target::AtLeast(0.81))).met);
        assert!(Figure::ratio("x", &pairs, rate, Some(Target::AtMost(0.8))).met);
        assert!(Figure::ratio("x", &pairs, rate, None).met);
    }

    #[test]
    fn what_ours_takes_longer_is_held_against_the_target() {
        let pairs = [(0.004, 0.003), (0.009, 0.002), (0.005, 0.003)];
        let pairs = pairs.map(|(ours, reference)| Pair { ours, reference });
        let figure = Figure::difference("x", &pairs, Some(Target::AtMost(2.5)));
        assert_eq!((&*figure.ours, &*figure.reference), ("5.0 ms", "3.0 ms"));
        assert_eq!(figure.result, "2.0 (1.0 to 7.0) ms");
        assert!(figure.met);
        assert!(!Figure::difference("x", &pairs, Some(Target::AtMost(1.5))).met);
    }

    #[test]
    fn rates_are_read_in_threes() {
        let shown: Vec<_> = [7.0, 999.6, 18_400.2, 1_234_567.0].into_iter().map(rate).collect();
        assert_eq!(shown, ["7/s", "1,000/s", "18,400/s", "1,234,567/s"]);
    }
}
