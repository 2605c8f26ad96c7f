//! Sizes: OCCI has them in GiB with a fraction, hypervisors in bytes.

use occi_sdk::{Fault, Result};
use std::ops::RangeInclusive;

/// Memory consists of so many bytes at a time: libvirt has it in whole KiB.
const KIB: u32 = 1024;
/// And disks of whole sectors.
const SECTOR: u32 = 512;
/// Bytes.
const GIB_IN_BYTES: f64 = 1_073_741_824.0;
/// 1 MiB, below which nothing is of use, to 8 PiB, the most that the manifest allows.
const GIB: RangeInclusive<f64> = 0.000_976_562_5..=8_388_608.0;

/// The bytes of a size in GiB that an attribute asks for, a broken KiB counted as a whole one.
pub(crate) fn bytes(gib: f64, attribute: &str) -> Result<u64> {
    whole(KIB, gib, attribute)
}

/// The same of a disk, a broken sector counted as a whole one.
pub(crate) fn of_disk(gib: f64, attribute: &str) -> Result<u64> {
    whole(SECTOR, gib, attribute)
}

fn whole(unit: u32, gib: f64, attribute: &str) -> Result<u64> {
    if !GIB.contains(&gib) {
        return Err(Fault::invalid(
            "the size is 1 MiB (0.0009765625) or more and at most 8 PiB (8388608), in GiB",
        )
        .on(attribute));
    }
    // Exact, since it only moves the exponent.
    let units = (gib * (GIB_IN_BYTES / f64::from(unit))).ceil();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range and whole"
    )]
    Ok(units as u64 * u64::from(unit))
}

/// Whether the disk that there is is the one that was asked for; before sectors counted, it was made in whole KiB.
pub(crate) fn is_same(wanted: u64, present: u64) -> bool {
    wanted == present || wanted.checked_next_multiple_of(KIB.into()) == Some(present)
}

/// How large a disk is in GiB: the shortest that asks for so many bytes, as a client would write it.
pub(crate) fn gib(bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "exact for whole sectors, and good enough for the rest")]
    let exact = bytes as f64 / GIB_IN_BYTES;
    let asks_for_it = |size: &f64| of_disk(*size, "").is_ok_and(|asked| asked == bytes);
    let mut rounded = (0..7).map(|digits| 10_f64.powi(digits)).map(|scale| (exact * scale).floor() / scale);
    rounded.find(asks_for_it).unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_to_the_kib() {
        for (size, expected) in [
            (0.5, 536_870_912),
            (1.0, 1_073_741_824),
            (10.25, 11_005_853_696),
            // Not a whole number of bytes.
            (0.1, 107_374_592),
            (0.7, 751_620_096),
            (1.7, 1_825_361_920),
            (0.000_976_562_5, 1_048_576),
            (8_388_608.0, 9_007_199_254_740_992),
        ] {
            assert_eq!(bytes(size, "s").unwrap(), expected, "{size} GiB");
        }
    }

    #[test]
    fn disks_are_exact_to_the_sector() {
        for (size, expected) in [
            (0.5, 536_870_912),
            (1.0, 1_073_741_824),
            // A sector more than that.
            (1.000_000_476_837_158_2, 1_073_742_336),
            (0.1, 107_374_592),
            (0.7, 751_619_584),
            (0.000_976_562_5, 1_048_576),
            (8_388_608.0, 9_007_199_254_740_992),
        ] {
            assert_eq!(of_disk(size, "s").unwrap(), expected, "{size} GiB");
            assert!((gib(expected) - size).abs() < 1e-6 && of_disk(gib(expected), "s").unwrap() == expected);
        }
        assert!(is_same(751_619_584, 751_620_096), "as it was made of old");
        assert!(is_same(1024, 1024) && !is_same(1024, 1536) && !is_same(1024, 2048) && !is_same(2048, 1536));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for size in [0.0, -0.0, -1.0, 1e-300, 8_388_609.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        {
            assert_eq!(bytes(size, "s").unwrap_err().code, "invalid", "{size} GiB");
        }
    }
}
