//! Numbers that nobody can guess: the capability `random`.

use crate::outside::random as outside;

/// So many random bytes, a mebibyte at most.
pub fn bytes(count: usize) -> Vec<u8> {
    outside::bytes(count)
}

/// A random number.
pub fn number() -> u64 {
    outside::number()
}
