//! A note: a text whose words are counted, and which can be stamped. README.md walks through it.

use occi_sdk::{Actions, Attributes, Change, Lifecycle, Read, Result, Subject};

const TEXT: &str = "com.example.note.text";
const WORDS: &str = "com.example.note.words";
const STAMPS: &str = "com.example.note.stamps";

struct Note;

impl Lifecycle for Note {
    fn create(subject: &Subject) -> Result<Change> {
        Ok(counted(subject))
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        Ok(counted(&wanted.over(subject)))
    }
}

impl Actions for Note {
    fn act(subject: &Subject, _action: &str, _parameters: &Attributes) -> Result<Change> {
        let stamps = subject.integer(STAMPS).unwrap_or(0);
        Ok(Change::new().set(STAMPS, stamps.saturating_add(1)))
    }
}

occi_sdk::export!(Note: lifecycle, actions);

fn counted(note: &impl Read) -> Change {
    let words = note.text(TEXT).unwrap_or_default().split_whitespace().count();
    Change::new().set(WORDS, i64::try_from(words).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_sdk::testing::Host;

    #[test]
    fn a_note_counts_its_words_and_is_stamped() {
        let host = Host::<Note>::new();
        let mut note = host.resource("http://example.com/occi/note#note").with(TEXT, "buy milk");
        host.create(&mut note).unwrap();
        assert_eq!(note.get(WORDS), Some(2.into()));

        host.update(&mut note, [(TEXT, "buy oat milk")]).unwrap();
        assert_eq!(note.get(WORDS), Some(3.into()));

        host.act(&mut note, "stamp", Attributes::default()).unwrap();
        host.act(&mut note, "stamp", Attributes::default()).unwrap();
        assert_eq!(note.get(STAMPS), Some(2.into()));
    }
}
