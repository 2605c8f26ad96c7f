//! Reads figures as Prometheus does, in its text format 0.0.4, and takes nothing that its `promtool check metrics` would not.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// Figures that were shown at one time.
#[derive(Debug)]
pub(crate) struct Figures(BTreeMap<(String, Labels), f64>);

type Labels = BTreeMap<String, String>;

impl Figures {
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let comment = Regex::new(r"^# (HELP|TYPE) ([a-z_]+) (.+)$").unwrap();
        let sample = Regex::new(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$").unwrap();
        let (mut figures, mut families) = (BTreeMap::new(), BTreeSet::new());
        // The family that is being told of, and its type.
        let mut family = (String::new(), String::new());
        assert!(text.ends_with('\n'), "its last line has no end");
        for line in text.lines() {
            if let Some(found) = comment.captures(line) {
                let (what, name, rest) = (&found[1], &found[2], &found[3]);
                if what == "HELP" {
                    assert!(families.insert(name.to_owned()), "{name} is told of twice");
                    family = (name.into(), String::new());
                } else {
                    assert_eq!((name, ""), (&*family.0, &*family.1), "{line} is not behind its help");
                    assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                    family.1 = rest.into();
                }
                continue;
            }
            let found = sample.captures(line).unwrap_or_else(|| panic!("{line:?} is no figure"));
            let (name, value) = (&found[1], found[3].parse().unwrap());
            let labels = labels(found.get(2).map_or("", |labels| labels.as_str()));
            let is_of_family = match &*family.1 {
                "histogram" => {
                    ["_bucket", "_sum", "_count"].iter().any(|part| *name == format!("{}{part}", family.0))
                }
                kind => *name == family.0 && name.ends_with("_total") == (kind == "counter"),
            };
            assert!(is_of_family, "{line} is not of {family:?}");
            assert!(family.1 == "gauge" || value >= 0.0, "{line}");
            assert!(figures.insert((name.into(), labels), value).is_none(), "{line} is there twice");
        }
        let figures = Self(figures);
        figures.check_buckets();
        figures
    }

    /// Of a histogram: each bucket holds what those before it do, and the last one all.
    fn check_buckets(&self) {
        let bound = |labels: &Labels| labels["le"].replace("+Inf", "inf").parse::<f64>().unwrap();
        let mut buckets: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((name, labels), value) in &self.0 {
            if let Some(family) = name.strip_suffix("_bucket") {
                let mut rest = labels.clone();
                rest.remove("le").unwrap();
                buckets.entry((family, rest)).or_default().push((bound(labels), *value));
            }
        }
        for ((family, labels), mut buckets) in buckets {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{family} {labels:?}");
            let (last, all) = buckets.pop().unwrap();
            assert!(last.is_infinite());
            assert_eq!(self.0.get(&(format!("{family}_count"), labels)), Some(&all));
        }
    }

    /// One figure, by all of its labels.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        self.0.get(&(name.into(), labels)).copied()
    }

    /// The names of those that have this label.
    pub(crate) fn names(&self, label: &str, value: &str) -> Vec<&str> {
        let has = |labels: &Labels| labels.get(label).is_some_and(|found| found == value);
        self.0.keys().filter(|(_, labels)| has(labels)).map(|(name, _)| &**name).collect()
    }
}

fn labels(text: &str) -> Labels {
    let one = Regex::new(r#"^([a-z_]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)"#).unwrap();
    let (mut labels, mut rest) = (Labels::new(), text);
    while !rest.is_empty() {
        let found = one.captures(rest).unwrap_or_else(|| panic!("{text:?} are no labels"));
        assert!(labels.insert(found[1].into(), found[2].into()).is_none(), "{text:?} has one twice");
        rest = &rest[found[0].len()..];
    }
    labels
}
