//! The fake of the capability `random`: the same numbers in each test, none like the one before.

use super::world::world;

pub(crate) fn bytes(count: usize) -> Vec<u8> {
    std::iter::repeat_with(|| number().to_le_bytes()).flatten().take(count).collect()
}

/// Sebastiano Vigna's `SplitMix64`.
pub(crate) fn number() -> u64 {
    world(|world| {
        world.random = world.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (world.random ^ (world.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
