//! Sizes: OCCI has them in GiB with a fraction, hypervisors in bytes.

use occi_sdk::{Fault, Result};
use std::ops::RangeInclusive;

/// Disks and memory consist of so many bytes at a time: libvirt makes both in whole KiB.
const UNIT: u64 = 1024;
const UNITS_IN_GIB: f64 = 1_048_576.0;
/// 1 MiB, below which nothing is of use, to 8 PiB, the most that the manifest allows.
const GIB: RangeInclusive<f64> = 0.000_976_562_5..=8_388_608.0;

/// The bytes of a size in GiB that an attribute asks for, a broken KiB counted as a whole one.
pub(crate) fn bytes(gib: f64, attribute: &str) -> Result<u64> {
    if !GIB.contains(&gib) {
        return Err(Fault::invalid(
            "the size is 1 MiB (0.0009765625) or more and at most 8 PiB (8388608), in GiB",
        )
        .on(attribute));
    }
    // Exact, since it only moves the exponent.
    let units = (gib * UNITS_IN_GIB).ceil();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range and whole"
    )]
    Ok(units as u64 * UNIT)
}

/// Whether what there is is what was asked for, but for a rounding.
pub(crate) fn is_same(wanted: u64, present: u64) -> bool {
    wanted.abs_diff(present) < UNIT
}

/// A number of bytes in GiB: the shortest that asks for so many, as a client would write it.
pub(crate) fn gib(bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "exact for whole KiB, and good enough for the rest")]
    let exact = bytes as f64 / 1024.0 / UNITS_IN_GIB;
    let asks_for_it = |size: &f64| self::bytes(*size, "").is_ok_and(|asked| asked == bytes);
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
            assert!(expected % 1024 == 0 && (gib(expected) - size).abs() < f64::EPSILON);
        }
        // That is no size that anybody would write.
        assert!((gib(107_374_592 + 512) - 0.100_000_858).abs() < 1e-9);
        assert!(is_same(107_374_592, 107_374_592 + 512) && !is_same(1024, 2048));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for size in [0.0, -0.0, -1.0, 1e-300, 8_388_609.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        {
            assert_eq!(bytes(size, "s").unwrap_err().code, "invalid", "{size} GiB");
        }
    }
}
