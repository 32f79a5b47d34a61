//! Sizes of files and parts.

/// Files of this size and more are sent in parts, in bytes.
pub(crate) const THRESHOLD: u64 = 32 << 20;

/// The least bytes of a part. S3's own least is 5 MiB; every part is a request that has to be paid for.
const LEAST: u64 = 16 << 20;

/// The bytes of a part beyond which more parts are made: what is lost with a connection has to be sent again.
const ENOUGH: u64 = 64 << 20;

/// Parts of a file that is not too large for it.
const FEW_PARTS: u64 = 16;

/// The most parts that S3 takes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: u64 = 10_000;

/// The size of the parts of a file, in bytes. It depends on the file's size alone, so that a later run finds the same.
pub(crate) fn part_size(size: u64) -> u64 {
    let whole = |part: u64| part.next_multiple_of(1 << 20);
    let good = whole(size.div_ceil(FEW_PARTS)).clamp(LEAST, ENOUGH);
    good.max(whole(size.div_ceil(MOST_PARTS)))
}

/// The most bytes of an object that is read whole: records, manifests, locks. Those of a million objects have a tenth of that. Whoever may
/// write below the reserved prefix cannot make a deploy run out of memory.
pub(crate) const MAX_READ: u64 = 256 << 20;

/// The most bytes that one of them may have once it is decompressed.
pub(crate) const MAX_DECOMPRESSED: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_sizes_stay_within_the_limits_of_s3() {
        let tebi = 1u64 << 40;
        for size in [0, 1, LEAST, THRESHOLD, 6 << 30, tebi, 48 * tebi] {
            let part = part_size(size);
            assert!(size.div_ceil(part) <= MOST_PARTS, "{size}");
            assert!((5 << 20..=5 << 30).contains(&part), "{size}");
        }
        assert_eq!(part_size(100 << 20), LEAST);
        assert_eq!(part_size(1 << 30), 64 << 20);
        assert_eq!(part_size(100 << 30), ENOUGH);
    }
}
