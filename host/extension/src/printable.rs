//! What a guest says, for whoever reads it on a terminal or in a log.

/// A text with nothing in it that moves a terminal's cursor, or that looks like another line.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_without_tricks() {
        assert_eq!(printable("a\nINFO forged\u{1b}[2Jb\u{202e}c"), "a INFO forged [2Jb c");
    }
}
