//! Reads one line, or one header's value, from left to right and once: names, words, quoted strings, parameters,
//! comma lists. What they mean is the caller's.

use super::Header;
use crate::error::{Malformed, Place, excerpt, suggestion};
use std::borrow::Cow;

/// Where the text comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A line of the body, counted from 1.
    Line(usize),
    /// The header of that name.
    Header(&'a str),
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    source: Source<'a>,
    header: Header,
}

/// A piece of the text and where it begins.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) at: usize,
    pub(super) text: &'a str,
}

/// What stands after a `=`.
pub(super) struct Given<'a> {
    pub(super) at: usize,
    /// Without quotes and escapes.
    pub(super) text: Cow<'a, str>,
    pub(super) quoted: bool,
}

impl<'a> Scanner<'a> {
    /// From the byte `at` of a text, which is that header's value.
    pub(super) fn new(header: Header, text: &'a str, at: usize, source: Source<'a>) -> Self {
        Self { text, at, source, header }
    }

    /// Reads a comma list to its end (H11-27); each element takes what is its own and stops before the comma. As in
    /// every list of HTTP, an empty element is skipped, but one element there must be.
    pub(super) fn list(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut empty = true;
        loop {
            while self.take(b',') {}
            if self.peek().is_none() {
                return if empty { Err(self.expected("a value")) } else { Ok(()) };
            }
            element(self)?;
            empty = false;
            if !self.at_element_end() {
                return Err(self.expected("`;`, `,` or the end"));
            }
        }
    }

    /// The next parameter's name, with its `;` and `=`; none at the element's end. A `;` before that end means nothing
    /// (Q-08).
    pub(super) fn parameter(&mut self) -> Result<Option<Word<'a>>, Malformed> {
        let mut any = false;
        while self.take(b';') {
            any = true;
        }
        if !any || self.at_element_end() {
            return Ok(None);
        }
        self.name().map(Some)
    }

    /// A name and the `=` after it.
    pub(super) fn name(&mut self) -> Result<Word<'a>, Malformed> {
        let name = self.word(b"=");
        if name.text.is_empty() {
            return Err(self.expected("a name"));
        }
        if !self.take(b'=') {
            return Err(self.expected(format!("`=` after `{}`", excerpt(name.text))));
        }
        Ok(name)
    }

    /// The text up to a space, `;`, `,` or one of `stops`.
    pub(super) fn word(&mut self, stops: &[u8]) -> Word<'a> {
        self.skip_space();
        let at = self.at;
        let rest = &self.text[at..];
        let end = rest.bytes().position(|byte| b" \t;,".contains(&byte) || stops.contains(&byte));
        self.at = at + end.unwrap_or(rest.len());
        Word { at, text: &self.text[at..self.at] }
    }

    /// The text up to that byte, which is taken too.
    pub(super) fn until(&mut self, end: u8) -> Result<Word<'a>, Malformed> {
        let at = self.at;
        let Some(length) = self.text.as_bytes()[at..].iter().position(|&byte| byte == end) else {
            self.at = self.text.len();
            return Err(self.expected(format!("`{}`", char::from(end))));
        };
        self.at = at + length + 1;
        Ok(Word { at, text: &self.text[at..at + length] })
    }

    /// The rest of the line.
    pub(super) fn rest(&mut self) -> Word<'a> {
        self.skip_space();
        let at = self.at;
        self.at = self.text.len();
        Word { at, text: &self.text[at..] }
    }

    /// A quoted string or a word.
    pub(super) fn given(&mut self) -> Result<Given<'a>, Malformed> {
        if self.peek() == Some(b'"') {
            let at = self.at;
            return Ok(Given { at, text: self.quoted()?, quoted: true });
        }
        let Word { at, text } = self.word(b"\"");
        if text.is_empty() {
            return Err(self.expected("a value"));
        }
        Ok(Given { at, text: text.into(), quoted: false })
    }

    /// `\"` and `\\` are what the grammar escapes; `\n`, `\r` and `\u` with four hexadecimal digits are how our own
    /// writing keeps a line a line. A backslash before anything else is one: clients send paths and patterns as they
    /// are. Who does both, as in `C:\new\table`, most likely means no line feed, and is told.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let opening = self.at;
        let inside = &self.text[opening + 1..];
        let mut unescaped = String::new();
        let mut copied = 0;
        let mut at = 0;
        let (mut bare, mut is_control) = (None, false);
        loop {
            let Some(next) = inside.as_bytes()[at..].iter().position(|&byte| byte == b'"' || byte == b'\\')
            else {
                let problem = r#"this quote is not closed; close it with `"`, and write `\"` inside it"#;
                return Err(self.error(opening, problem));
            };
            at += next;
            if inside.as_bytes()[at] == b'"' {
                if let Some(bare) = bare.filter(|_| is_control) {
                    let problem = r"a backslash stands for itself here, while another one in the same text begins `\n`, `\r` or `\u`; write `\\` for each that is a backslash";
                    return Err(self.error(opening + 1 + bare, problem));
                }
                self.at = opening + 1 + at + 1;
                let tail = &inside[copied..at];
                if copied == 0 {
                    return Ok(tail.into());
                }
                unescaped.push_str(tail);
                return Ok(unescaped.into());
            }
            let Some((meant, length)) = escape(&inside[at + 1..]) else {
                bare = bare.or(Some(at));
                at += 1;
                continue;
            };
            is_control |= !matches!(meant, '"' | '\\');
            unescaped.push_str(&inside[copied..at]);
            unescaped.push(meant);
            at += 1 + length;
            copied = at;
        }
    }

    /// Where the next thing begins.
    pub(super) fn position(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// Whether the element ends here, which takes the space before its end.
    pub(super) fn at_element_end(&mut self) -> bool {
        matches!(self.peek(), None | Some(b','))
    }

    /// Takes that byte, if it is next but for spaces.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(rest.len());
    }

    /// Something else than what is next was expected.
    pub(super) fn expected(&mut self, what: impl AsRef<str>) -> Malformed {
        let what = what.as_ref();
        let problem = match self.peek() {
            None => format!("expected {what}, found the end"),
            Some(_) => format!("expected {what}, found `{}`", excerpt(&self.text[self.at..])),
        };
        self.error(self.at, problem)
    }

    /// A parameter that is none.
    pub(super) fn unknown(&self, name: Word<'_>, known: &[&str]) -> Malformed {
        let problem = format!("unknown parameter `{}` {}", excerpt(name.text), suggestion(name.text, known));
        self.error(name.at, problem)
    }

    /// A name for the second time.
    pub(super) fn twice(&self, name: Word<'_>) -> Malformed {
        self.error(name.at, format!("`{}` is given twice", excerpt(name.text)))
    }

    /// A problem at a byte of the text; the right form is added to it.
    pub(super) fn error(&self, at: usize, problem: impl std::fmt::Display) -> Malformed {
        let problem = format!("{problem}. The form is: {}", self.header.form());
        Malformed { place: self.place(at), problem }
    }

    fn place(&self, at: usize) -> Place {
        let column = self.text[..at].chars().count() + 1;
        match self.source {
            Source::Line(line) => Place::Body { line, column },
            Source::Header(name) => Place::Header { name: name.into(), column },
        }
    }
}

/// What is escaped by what follows a backslash, and how long that is.
fn escape(after: &str) -> Option<(char, usize)> {
    match after.as_bytes().first()? {
        b'"' => Some(('"', 1)),
        b'\\' => Some(('\\', 1)),
        b'n' => Some(('\n', 1)),
        b'r' => Some(('\r', 1)),
        b'u' => {
            let digits =
                after.get(1..5).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 5))
        }
        _ => None,
    }
}
