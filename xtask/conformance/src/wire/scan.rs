//! A cursor over one line: tokens, quoted strings, and lists of parameters.

use std::borrow::Cow;

/// What is left of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

/// `name=value` or `name="value"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// Without the quotation marks and backslashes.
    pub(super) value: Cow<'a, str>,
    pub(super) quoted: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Goes over a character if it comes next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Everything before the first of some characters, or before the end.
    pub(super) fn until(&mut self, ends: &[char]) -> &'a str {
        let at = self.rest.find(ends).unwrap_or(self.rest.len());
        let (before, rest) = self.rest.split_at(at);
        self.rest = rest;
        before
    }

    /// A quoted string whose first mark comes next; none if its last one is missing.
    fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let inside = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        let mut escapes = false;
        for (at, character) in inside.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => (escaped, escapes) = (true, true),
                '"' => {
                    self.rest = &inside[at + 1..];
                    let raw = &inside[..at];
                    return Some(if escapes { unescape(raw).into() } else { raw.into() });
                }
                _ => {}
            }
        }
        None
    }

    /// A parameter, up to what separates it from the next.
    pub(super) fn parameter(&mut self) -> Result<Parameter<'a>, String> {
        let name = self.until(&['=', ';', ',']).trim();
        if !self.eat('=') {
            return Err(format!("'{name}' has no value"));
        }
        if self.rest.starts_with('"') {
            let value = self.quoted().ok_or_else(|| {
                self.rest = "";
                format!("the quoted string of {name} does not end")
            })?;
            return Ok(Parameter { name, value, quoted: true });
        }
        let value = self.until(&[';', ',']).trim_end();
        Ok(Parameter { name, value: value.into(), quoted: false })
    }

    /// `;name=value` as often as it comes.
    pub(super) fn parameters(&mut self) -> Result<Vec<Parameter<'a>>, String> {
        let mut parameters = Vec::new();
        self.spaces();
        while self.eat(';') {
            self.spaces();
            parameters.push(self.parameter()?);
            self.spaces();
        }
        Ok(parameters)
    }
}

fn unescape(raw: &str) -> String {
    let mut characters = raw.chars();
    let mut plain = String::with_capacity(raw.len());
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_keeps_what_separates() {
        let mut scan = Scan::new(r#";a="x;y, \"z\\" ; b=1,c"#);
        let read = scan.parameters().unwrap();
        assert_eq!((read[0].name, &*read[0].value, read[0].quoted), ("a", r#"x;y, "z\"#, true));
        assert_eq!((read[1].name, &*read[1].value, read[1].quoted), ("b", "1", false));
        assert!(scan.eat(','));
    }

    #[test]
    fn an_open_string_is_a_fault() {
        assert!(Scan::new(r#";a="x"#).parameters().is_err());
        assert!(Scan::new(";a").parameters().is_err());
    }
}
