//! Names for what is different in each run: bound by a step, `{{note}}`, or given to what would be seen otherwise.

use regex::Regex;
use std::sync::LazyLock;

/// The names and what they stand for, in the order of their binding.
#[derive(Default)]
pub(crate) struct Names {
    bound: Vec<(String, String)>,
    uuids: usize,
    macs: usize,
}

#[expect(clippy::expect_used, reason = "a constant")]
static FRESH: LazyLock<Regex> = LazyLock::new(|| {
    let fresh =
        r"\b(?:(?<uuid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})|(?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b";
    Regex::new(fresh).expect("a regular expression")
});

impl Names {
    /// The name stands for that text from now on and, with `.id` behind it, for the UUID in the text.
    pub(crate) fn bind(&mut self, name: &str, text: &str) {
        self.bound.retain(|(bound, _)| bound != name && bound.strip_suffix(".id") != Some(name));
        self.bound.push((name.to_owned(), text.to_owned()));
        if let Some(uuid) = FRESH.captures(text).and_then(|found| found.name("uuid")) {
            self.bound.push((format!("{name}.id"), uuid.as_str().to_owned()));
        }
    }

    /// The text with what its names stand for; else why not.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut parts = text.split("{{");
        let mut full = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").ok_or("`{{` is without `}}`")?;
            let Some((_, stands_for)) = self.bound.iter().find(|(bound, _)| bound == name.trim()) else {
                let known: Vec<_> = self.bound.iter().map(|(name, _)| name.as_str()).collect();
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                return Err(format!(
                    "no step before this one has bound {{{{{name}}}}}; those bound are: {known}. Bind it by save.{name} = \"Location\""
                ));
            };
            full.push_str(stands_for);
            full.push_str(rest);
        }
        Ok(full)
    }

    /// The text with names for what is different in each run.
    pub(crate) fn show(&mut self, text: &str) -> String {
        let mut shown = text.to_owned();
        // A path before the UUID in it.
        let mut bound: Vec<_> =
            self.bound.iter().filter(|(_, stands_for)| FRESH.is_match(stands_for)).collect();
        bound.sort_by_key(|(_, stands_for)| std::cmp::Reverse(stands_for.len()));
        for (name, stands_for) in bound {
            shown = shown.replace(stands_for, &format!("{{{{{name}}}}}"));
        }
        while let Some(found) = FRESH.captures(&shown) {
            let (kind, count) = if found.name("uuid").is_some() {
                ("uuid", &mut self.uuids)
            } else {
                ("mac", &mut self.macs)
            };
            *count += 1;
            let name = format!("{kind}-{count}");
            let fresh = found[0].to_owned();
            shown = shown.replace(&fresh, &format!("{{{{{name}}}}}"));
            self.bound.push((name, fresh));
        }
        shown
    }
}
