use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;

use super::*;

fn hashes(a: &[Option<&str>], b: &[Option<&str>]) -> Vec<Option<i64>> {
    let column = |texts: &[Option<&str>]| -> ArrayRef {
        Arc::new(texts.iter().copied().collect::<StringViewArray>())
    };
    let hashes = pair_hash(&[column(a), column(b)]).unwrap();
    hashes.as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn pairs_are_told_apart_by_both_and_their_order() {
    // Short texts and long ones are held in different ways.
    let (long, short) = ("eni-0123456789abcdef0", "10.0.0.1");
    let found = hashes(
        &[
            Some(long),
            Some(short),
            Some(long),
            Some(long),
            Some(short),
            None,
            Some(long),
        ],
        &[
            Some(short),
            Some(long),
            Some(short),
            Some("10.0.0.2"),
            Some(short),
            Some(short),
            None,
        ],
    );
    assert_eq!(found[0], found[2]);
    let different: std::collections::BTreeSet<_> = found[..5].iter().flatten().collect();
    assert_eq!(different.len(), 4, "{found:?}");
    assert_eq!(found[5..], [None, None]);
    // In another batch, and in every release.
    assert_eq!(hashes(&[Some(short)], &[Some(long)]), [found[1]]);
    assert_eq!(found[1], Some(-4_071_931_083_753_072_438));
}
