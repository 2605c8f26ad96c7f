//! How much of a request is taken. The length of a body is the server's to limit; these hold where few bytes would
//! make much work.

use crate::error::Malformed;

/// How deep JSON may be nested, the document itself counted.
pub const MAX_DEPTH: usize = 32;

/// How many categories, entities, links and locations one request may name, all together; and how many attributes one
/// thing may have, or members a JSON object.
pub const MAX_ITEMS: usize = 10_000;

/// How many objects and members of objects a JSON text may have, all together: each takes more memory and time than its
/// bytes would let one think. A body of 1 MiB with ordinary resources has half of it.
pub(crate) const MAX_PARTS: usize = 5 * MAX_ITEMS;

/// How large the headers of a text/occi answer may be in all, in bytes. Common servers and proxies refuse or cut what
/// is much longer (TXT-06).
pub const MAX_HEADERS: usize = 16 * 1024;

/// What is left of [`MAX_ITEMS`].
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MAX_ITEMS)
    }

    /// Takes one; `error` places the refusal if none is left.
    pub(crate) fn spend(&mut self, error: impl FnOnce(String) -> Malformed) -> Result<(), Malformed> {
        let Some(left) = self.0.checked_sub(1) else {
            return Err(error(format!(
                "one request names at most {MAX_ITEMS} things; send several requests"
            )));
        };
        self.0 = left;
        Ok(())
    }
}
