//! Sizes: OCCI has them in GiB with a fraction, hypervisors in bytes.

/// Disks and memory consist of whole sectors of so many bytes.
const SECTOR: u64 = 512;
const SECTORS_IN_GIB: f64 = 2_097_152.0;
/// 8 EiB, more than any hypervisor can count.
const TOO_MANY_SECTORS: f64 = 18_014_398_509_481_984.0;

/// The bytes of a size in GiB, a broken sector counted as a whole one. None where it is not positive, or too large.
pub(crate) fn bytes(gib: f64) -> Option<u64> {
    // Exact, since it only moves the exponent.
    let sectors = (gib * SECTORS_IN_GIB).ceil();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range and whole"
    )]
    (1.0..TOO_MANY_SECTORS).contains(&sectors).then(|| sectors as u64 * SECTOR)
}

/// A number of bytes in GiB.
pub(crate) fn gib(bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "exact for whole sectors, and good enough for the rest")]
    let sectors = bytes as f64 / 512.0;
    sectors / SECTORS_IN_GIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_to_the_sector() {
        for (size, expected) in [
            (0.5, 536_870_912),
            (1.0, 1_073_741_824),
            (10.25, 11_005_853_696),
            // Not a whole number of bytes.
            (0.1, 107_374_592),
            (1e-12, 512),
            (8_589_934_591.0, 9_223_372_035_781_033_984),
        ] {
            assert_eq!(bytes(size), Some(expected), "{size} GiB");
            assert!(expected % 512 == 0 && gib(expected) >= size);
        }
        assert!((gib(11_005_853_696) - 10.25).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_no_size_is_none() {
        for size in [0.0, -0.0, -1.0, 8_589_934_592.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(bytes(size), None, "{size} GiB");
        }
    }
}
