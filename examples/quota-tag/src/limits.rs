//! What a budget has, as the operator has set it, and whether a claim is within.

use crate::Claim;
use occi_sdk::{Fault, Result, config};

/// The budget of those that name none, as the manifest says. It is there always, without limits until some are set.
const DEFAULT: &str = "default";

/// Memory is counted in whole MiB, so that sums are exact.
pub(crate) const MIB_IN_GIB: f64 = 1024.0;

/// What a compute, or several, have of each of the [`MEASURES`].
pub(crate) type Amounts = [i64; 3];

/// One thing that is counted.
struct Measure {
    /// How the operator calls it.
    name: &'static str,
    /// How much is counted for one.
    scale: f64,
    /// What the client could change, were there too little of it.
    attribute: &'static str,
}

const MEASURES: [Measure; 3] = [
    Measure { name: "computes", scale: 1.0, attribute: Claim::BUDGET },
    Measure { name: "cores", scale: 1.0, attribute: Claim::CORES },
    Measure { name: "memory", scale: MIB_IN_GIB, attribute: Claim::MEMORY },
];

/// The most of each; none where there is no limit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits([Option<i64>; 3]);

impl Limits {
    /// Those that the operator has set for a budget.
    pub(crate) fn of(budget: &str) -> Result<Self> {
        match config::get(budget)? {
            Some(setting) => Self::parse(&setting).ok_or_else(|| {
                Fault::failed(format!(
                    "the operator's setting of the budget {budget} must be such as \
                     `computes=10 cores=16 memory=32`, and is `{setting}`"
                ))
            }),
            None if budget == DEFAULT => Ok(Self::default()),
            None => {
                Err(Fault::invalid(format!("there is no budget {budget}; {}", known()?)).on(Claim::BUDGET))
            }
        }
    }

    /// What is written, such as `computes=10 cores=16 memory=32`, or none where it is not understood.
    fn parse(setting: &str) -> Option<Self> {
        let mut limits = Self::default();
        for limit in setting.split_ascii_whitespace() {
            let (name, most) = limit.split_once('=')?;
            let number = MEASURES.iter().position(|measure| measure.name == name)?;
            let most = most.parse().ok().filter(|most: &f64| most.is_finite() && *most >= 0.0)?;
            #[allow(clippy::cast_possible_truncation, reason = "it ends at the greatest, which is no limit")]
            let most = (most * MEASURES[number].scale).floor() as i64;
            if limits.0[number].replace(most).is_some() {
                return None;
            }
        }
        Some(limits)
    }

    /// Whether a compute may have what it claims, beside what the others hold. What it holds already it may keep, also
    /// where the operator has lowered the limit meanwhile.
    pub(crate) fn check(&self, budget: &str, claimed: Amounts, held: Amounts, others: Amounts) -> Result<()> {
        for (number, measure) in MEASURES.iter().enumerate() {
            let Some(most) = self.0[number] else { continue };
            let (claimed, held, others) = (claimed[number], held[number], others[number]);
            let left = most.saturating_sub(others).max(0);
            if claimed > left && claimed > held {
                let [most, left, claimed] = [most, left, claimed].map(|amount| measure.shown(amount));
                let name = measure.name;
                let refused = format!(
                    "the budget {budget} has {name}={most}, of which {left} is left, and this takes {claimed}"
                );
                return Err(Fault::conflict(refused).on(measure.attribute));
            }
        }
        Ok(())
    }
}

impl Measure {
    /// An amount in the operator's unit.
    fn shown(&self, amount: i64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "it is read by people")]
        let amount = amount as f64;
        amount / self.scale
    }
}

/// Which budgets there are, in words for the client.
fn known() -> Result<String> {
    let set = config::all()?.into_iter().map(|(name, _)| name).filter(|name| name != DEFAULT);
    let names: Vec<String> = std::iter::once(DEFAULT.to_owned()).chain(set).collect();
    Ok(format!("name one of these: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_limits_what_it_names() {
        for (setting, expected) in [
            ("computes=10 cores=16 memory=0.5", Some([Some(10), Some(16), Some(512)])),
            ("  memory=32\tcores=0 ", Some([None, Some(0), Some(32_768)])),
            ("", Some([None; 3])),
            ("cores", None),
            ("cores=many", None),
            ("cores=-1", None),
            ("cores=inf", None),
            ("cores=1 cores=2", None),
            ("gpus=1", None),
            ("cores = 1", None),
        ] {
            assert_eq!(Limits::parse(setting), expected.map(Limits), "{setting:?}");
        }
    }

    #[test]
    fn what_is_held_is_kept_and_no_more_is_taken_than_there_is() {
        let limits = Limits([None, Some(8), Some(4096)]);
        let check = |claimed, held, others| limits.check("books", claimed, held, others);
        assert!(check([1, 4, 2048], [0; 3], [9, 4, 2048]).is_ok());
        assert!(check([1, 6, 0], [1, 6, 0], [9, 4, 0]).is_ok(), "the limit was lowered");
        assert!(check([1, 5, 0], [1, 6, 0], [9, 4, 0]).is_ok(), "it gives some back");
        assert!(check([1, 7, 0], [1, 6, 0], [9, 4, 0]).is_err());
        assert!(check([1, i64::MAX, 0], [0; 3], [9, 4, 0]).is_err());

        let fault = check([1, 1, 3072], [0; 3], [1, 1, 1536]).unwrap_err();
        assert_eq!(fault.attribute.as_deref(), Some("occi.compute.memory"));
        assert_eq!(fault.message, "the budget books has memory=4, of which 2.5 is left, and this takes 3");
    }
}
