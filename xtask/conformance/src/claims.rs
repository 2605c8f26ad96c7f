//! What answers claim in `Server` of the Compute Resource Templates Profile. Only a server that claims conformance, or
//! offers the templates, has to claim it on every answer, so what is missing is judged in the end.

use crate::answer::Answer;
use crate::verdict::Evidence;

/// The tokens of the base claim and of the extended one.
pub(crate) const BASE: &str = "OCCI-CRTP";
pub(crate) const EXTENDED: &str = "OCCI-CRTP-EP";

/// The version of the profile that is for OCCI 1.2, and that for OCCI 1.1, which may be claimed beside it.
const VERSION: &str = "1.1";
const EARLIER: &str = "1.0";

/// What was seen of the clauses about claims.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The first answer that claims the base, and that claims the extended profile, as they are said to people.
    base: Option<String>,
    extended: Option<String>,
    /// Whether any answer claimed anything.
    is_claimed: bool,
    /// The first answer without a claim.
    silent: Option<Evidence>,
    ill_formed: Option<Evidence>,
    misnamed: Option<Evidence>,
    misdated: Option<Evidence>,
}

impl Claims {
    pub(crate) fn see(&mut self, answer: &Answer, server: &str) {
        let words = server.split([' ', '(', ')', ',']);
        let claims: Vec<_> =
            words.filter(|word| word.to_ascii_uppercase().replace('_', "-").starts_with(BASE)).collect();
        let evidence = |expected: &str| Evidence {
            asked: answer.asked.clone(),
            expected: expected.to_owned(),
            got: if server.is_empty() { "nothing" } else { server }.to_owned(),
        };
        if claims.is_empty() {
            self.silent.get_or_insert_with(|| evidence("the profile's claim in Server"));
            return;
        }
        self.is_claimed = true;
        let versions: Vec<_> = claims.iter().filter_map(|claim| Some(claim.split_once('/')?.1)).collect();
        let is_of_this_version = versions.is_empty()
            || versions.contains(&VERSION) && versions.iter().all(|one| [VERSION, EARLIER].contains(one));
        for claim in claims {
            let (token, version) = claim.split_once('/').unwrap_or((claim, ""));
            if version.is_empty() || version.contains('/') {
                self.ill_formed.get_or_insert_with(|| evidence("a claim as token/version"));
            }
            let asked = || answer.asked.clone();
            if token == BASE {
                self.base.get_or_insert_with(asked);
            } else if token == EXTENDED {
                self.extended.get_or_insert_with(asked);
            } else {
                let expected = "the token OCCI-CRTP or OCCI-CRTP-EP";
                self.misnamed.get_or_insert_with(|| evidence(expected));
            }
        }
        if !is_of_this_version {
            self.misdated.get_or_insert_with(|| evidence("a claim of version 1.1"));
        }
    }

    /// Whether any answer claims conformance.
    pub(crate) fn are_there(&self) -> bool {
        self.is_claimed
    }

    /// The first request whose answer claims the conditional templates, too.
    pub(crate) fn extended(&self) -> Option<&str> {
        self.extended.as_deref()
    }

    /// The clauses that were seen at work, each with its first failure. What claims nothing is judged by what it offers.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&'static str, Option<&Evidence>)> {
        // A claim of the extended profile alone may be meant to be both.
        let has_base = self.base.is_some() || self.misnamed.is_some();
        let all = [
            ("R0401", true, &self.silent),
            ("R0402", true, &self.ill_formed),
            ("R0403", has_base, &self.misnamed),
            ("R0405", true, &self.misdated),
        ];
        let is_seen = self.is_claimed;
        all.into_iter()
            .filter(move |(_, is_shown, _)| is_seen && *is_shown)
            .map(|(id, _, found)| (id, found.as_ref()))
    }
}
