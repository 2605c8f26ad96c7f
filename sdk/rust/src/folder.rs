//! A folder of the extension's own for each tenant, for what is too large for [`crate::keyvalue`]: the capability `folder`.
//!
//! What is written is so at once: it does not go with the request, and stays where that is refused. So write it so that
//! writing it again does no harm, and remove it when the entity goes.
//!
//! A file has a name of 1 to 128 letters, digits, `-`, `_` and `.`, which does not begin with `.`; there are no folders in it.

use crate::fault::Result;
use crate::outside::folder as outside;

/// The content of a file, or none where there is no such file.
pub fn read(name: &str) -> Result<Option<Vec<u8>>> {
    outside::read(name)
}

/// Write a file of 1 MiB at most, whole, in place of one with that name; 'conflict' where the folder is full.
pub fn write(name: &str, content: &[u8]) -> Result<()> {
    outside::write(name, content)
}

/// Remove a file. Succeeds where there is none.
pub fn remove(name: &str) -> Result<()> {
    outside::remove(name)
}

/// The names of all files, in their order.
pub fn names() -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let more = outside::names(names.last().map(String::as_str))?;
        if more.is_empty() {
            return Ok(names);
        }
        names.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;
    use crate::{Change, Fault, Lifecycle, Subject};

    struct Log;

    impl Lifecycle for Log {
        fn create(subject: &Subject) -> Result<Change> {
            write(&subject.id(), b"begun")?;
            Ok(Change::new().set("files", i64::try_from(names()?.len()).unwrap_or_default()))
        }

        fn delete(subject: &Subject) -> Result<()> {
            remove(&subject.id())
        }
    }

    #[test]
    fn what_is_written_stays_until_it_is_removed() {
        let host = Host::<Log>::new();
        let [mut one, mut two] = [(); 2].map(|()| host.resource("http://example.com/occi#log"));
        host.create(&mut one).unwrap();
        host.create(&mut two).unwrap();
        assert_eq!(two.get("files"), Some(2.into()));
        assert_eq!(host.file(&one.id).as_deref(), Some(&b"begun"[..]));
        host.delete(&one).unwrap();
        assert_eq!((host.file(&one.id), read("other")), (None, Ok(None)));
        host.fail("folder.write", Fault::conflict("the folder is full"));
        assert_eq!(host.create(&mut one).unwrap_err().code, Fault::CONFLICT);
    }
}
