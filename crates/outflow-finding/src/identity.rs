//! Ids that are the same in every run.
//!
//! An id is a function of what the finding says, not of when or where it was computed, so that a rerun over
//! the same logs updates a ticket instead of opening a second one. The hash is 64-bit FNV-1a: for each part,
//! its length in bytes as eight little-endian bytes, then the part itself. The lengths keep `("ab", "c")`
//! and `("a", "bc")` apart. It guards against accidents, not against someone who wants two ids to collide.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The id of the finding that these parts tell apart: `f-` and 16 hex digits.
///
/// Detectors pass what makes the finding the same one tomorrow: sender, family, destination group, day.
///
/// ```
/// use outflow_finding::finding_id;
/// let id = finding_id(&["eni-0a1", "beacon", "198.51.100.0/24", "2026-10-01"]);
/// assert_eq!(id, "f-0e3a1024d9088780");
/// ```
pub fn finding_id(parts: &[&str]) -> String {
    format!("f-{:016x}", fnv1a(parts))
}

/// The id of the incident whose smallest finding id is this: `inc-` and 16 hex digits, unlike the id of an instance.
pub fn incident_id(smallest_finding_id: &str) -> String {
    format!("inc-{:016x}", fnv1a(&[smallest_finding_id]))
}

fn fnv1a(parts: &[&str]) -> u64 {
    let mut hash = FNV_OFFSET;
    for part in parts {
        let length = (part.len() as u64).to_le_bytes();
        for byte in length.iter().chain(part.as_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    }
    hash
}

#[cfg(test)]
mod tests;
