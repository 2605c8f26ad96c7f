//! The console of an entity: what it printed last as text, and both ways to who asks for a WebSocket (`socket`).

use crate::compression::compress;
use crate::exchange::Host;
use crate::failure::Failure;
use crate::respond;
use crate::socket;
use axum::body::Body;
use axum::http::Response;
use axum::http::request::Parts;
use occi_model::Location;
use occi_operation::Refusal;

/// So many lines are shown where nobody says how many.
const LINES: usize = 100;
/// And at most so many.
const MOST_LINES: usize = 10_000;
/// So much is read for them, in bytes.
const MOST: usize = 1 << 20;

/// What the query of a console's URL says. Other parameters are somebody else's, as at other paths that are read.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    lines: usize,
    take: bool,
}

impl Asked {
    fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let (mut lines, mut take) = (None, None);
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let again = match &*key {
                "lines" => lines.replace(number_of_lines(&value)?).is_some(),
                "take" => take.replace(whether_to_take(&value)?).is_some(),
                _ => false,
            };
            if again {
                return Err(Failure::BadRequest(format!("the query says `{key}` twice; say it once")));
            }
        }
        Ok(Self { lines: lines.unwrap_or(LINES), take: take.unwrap_or_default() })
    }
}

fn number_of_lines(value: &str) -> Result<usize, Failure> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let lines = value.parse().ok().filter(|lines| digits && (1..=MOST_LINES).contains(lines));
    lines.ok_or_else(|| {
        Failure::BadRequest(format!(
            "`lines` is a whole number from 1 to {MOST_LINES}, not `{}`",
            value.escape_debug()
        ))
    })
}

fn whether_to_take(value: &str) -> Result<bool, Failure> {
    value
        .parse()
        .map_err(|_| Failure::BadRequest(format!("`take` is true or false, not `{}`", value.escape_debug())))
}

/// Answers a GET of the console of the entity at a path.
pub(crate) async fn answer(host: &Host, parts: &Parts, entity: &Location) -> Result<Response<Body>, Failure> {
    let Asked { lines, take } = Asked::parse(parts.uri.query())?;
    let console = host.core.console(&host.caller, entity).await?;
    if socket::is_wanted(parts) {
        return socket::open(&host.consoles, parts, &*console, take, entity).await;
    }
    let printed = console.printed(MOST).await.map_err(Refusal::Console)?;
    let text = last_lines(&printed, printed.len() == MOST, lines);
    Ok(compress(&parts.headers, respond::printed(text)).await)
}

/// The last lines of what was printed, for people. Where the beginning is cut off, the line that this cuts through is left out.
fn last_lines(printed: &[u8], is_cut: bool, most: usize) -> String {
    let text = String::from_utf8_lossy(printed);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if text.is_empty() {
        return String::new();
    }
    let mut lines: Vec<_> = text.rsplit('\n').take(most.saturating_add(1)).collect();
    if lines.len() > most || (is_cut && lines.len() > 1) {
        lines.pop();
    }
    let mut shown = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines.into_iter().rev() {
        // A terminal is told to go to the beginning of the line, once or twice.
        shown.extend(line.trim_end_matches('\r').chars().map(harmless));
        shown.push('\n');
    }
    shown
}

/// A character that does nothing to the terminal on which it is shown, nor to the order of the others.
fn harmless(printed: char) -> char {
    match printed {
        '\t' => '\t',
        // The pictures of the control characters come in their order.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(printed)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<(usize, bool), String> {
        Asked::parse(Some(query))
            .map(|asked| (asked.lines, asked.take))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_query_says_how_many_lines_and_whether_to_take_it_over() {
        assert_eq!(Asked::parse(None).unwrap(), Asked { lines: 100, take: false });
        for (query, expected) in [
            ("", (100, false)),
            ("lines=1", (1, false)),
            ("lines=10000&take=true", (10_000, true)),
            ("take=false&else=1", (100, false)),
        ] {
            assert_eq!(asked(query), Ok(expected), "{query}");
        }
        for wrong in [
            "lines=",
            "lines=0",
            "lines=10001",
            "lines=-1",
            "lines=%2b1",
            "lines=1.5",
            "lines=99999999999999999999",
            "lines=1&lines=2",
            "take=",
            "take=yes",
            "take=true&take=true",
        ] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
        assert_eq!(asked("lines=x").unwrap_err(), "`lines` is a whole number from 1 to 10000, not `x`");
    }

    #[test]
    fn the_last_lines_are_shown_and_no_others() {
        let printed = b"one\r\ntwo\r\r\n\r\nfour";
        for (most, expected) in [
            (1, "four\n"),
            (2, "\nfour\n"),
            (3, "two\n\nfour\n"),
            (4, "one\ntwo\n\nfour\n"),
            (5, "one\ntwo\n\nfour\n"),
        ] {
            assert_eq!(last_lines(printed, false, most), expected, "{most}");
        }
        assert_eq!(last_lines(b"", false, 5), "");
        assert_eq!(last_lines(b"\n", false, 5), "");
        assert_eq!(last_lines(b"a\n\n", false, 1), "\n");
        assert_eq!(last_lines(b"a\n", false, 1), "a\n");
        assert_eq!(last_lines(b"ut\nwhole\n", true, 9), "whole\n");
        assert_eq!(last_lines(b"ut\nwhole\n", true, 1), "whole\n");
        assert_eq!(last_lines(b"one long line", true, 9), "one long line\n");
    }

    #[test]
    fn what_is_shown_does_nothing_to_a_terminal() {
        let printed = b"\x1b[2J\tb\x07\x00\x7f \xc2\x9b31m \xff \xe2\x80\xae over\rwrite \xc3\xa4";
        let expected =
            "\u{241b}[2J\tb\u{2407}\u{2400}\u{2421} \u{fffd}31m \u{fffd} \u{fffd} over\u{240d}write ä\n";
        assert_eq!(last_lines(printed, false, 1), expected);
    }
}
