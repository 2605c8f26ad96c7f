//! A note: a text whose words are counted, and which can be stamped. README.md walks through it.

use occi_sdk::{Actions, AttributeSet, Attributes, Change, Lifecycle, Result, Subject};

#[derive(AttributeSet)]
#[occi(prefix = "com.example.note")]
struct Note {
    text: String,
    words: Option<i64>,
    stamps: i64,
}

impl Lifecycle for Note {
    fn create(subject: &Subject) -> Result<Change> {
        Ok(Note::read(subject)?.counted())
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        Ok(Note::read(&wanted.over(subject))?.counted())
    }
}

impl Actions for Note {
    fn act(subject: &Subject, _action: &str, _parameters: &Attributes) -> Result<Change> {
        let note = Note::read(subject)?;
        Ok(Change::new().set(Note::STAMPS, note.stamps.saturating_add(1)))
    }
}

occi_sdk::export!(Note: lifecycle, actions);

impl Note {
    fn counted(&self) -> Change {
        let words = self.text.split_whitespace().count();
        Change::new().set(Note::WORDS, i64::try_from(words).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_sdk::testing::Host;

    #[test]
    fn a_note_counts_its_words_and_is_stamped() {
        let host = Host::<Note>::new();
        let note = host.resource("http://example.com/occi/note#note");
        // The host has set what has a default.
        let mut note = note.with(Note::TEXT, "buy milk").with(Note::STAMPS, 0);
        host.create(&mut note).unwrap();
        assert_eq!(note.get(Note::WORDS), Some(2.into()));

        host.update(&mut note, [(Note::TEXT, "buy oat milk")]).unwrap();
        assert_eq!(note.get(Note::WORDS), Some(3.into()));

        host.act(&mut note, "stamp", Attributes::default()).unwrap();
        host.act(&mut note, "stamp", Attributes::default()).unwrap();
        assert_eq!(note.get(Note::STAMPS), Some(2.into()));
    }
}
