use super::*;

fn written(spare: &SpareMemory, bytes: &[u8], step: usize) -> Pieces {
    let mut pieces = Pieces::within(spare);
    for part in bytes.chunks(step) {
        pieces.write_all(part).unwrap();
    }
    pieces
}

#[test]
fn a_file_is_what_was_written() {
    let spare = SpareMemory::default();
    let mut bytes: Vec<u8> = (0..251).cycle().take(3 * PIECE_BYTES + 7).collect();
    bytes[PIECE_BYTES] = 255;
    for step in [1 << 10, PIECE_BYTES, PIECE_BYTES + 1, bytes.len()] {
        let pieces = written(&spare, &bytes, step);
        assert_eq!(pieces.len(), bytes.len());
        let all: Vec<u8> = pieces.into_bytes().flatten().collect();
        assert!(all == bytes, "in steps of {step}");
    }
    assert!(Pieces::default().is_empty());
    assert_eq!(Pieces::default().into_bytes().count(), 0);
}

#[test]
fn memory_serves_again() {
    let spare = SpareMemory::default();
    let held = |spare: &SpareMemory| spare.0.lock().unwrap().len();
    let bytes = vec![1; 2 * PIECE_BYTES];
    let first: Vec<Bytes> = written(&spare, &bytes, 999).into_bytes().collect();
    let clone = first[1].clone();
    drop(first);
    assert_eq!(held(&spare), 1, "a clone still has the other piece");
    drop(clone);
    assert_eq!(held(&spare), 2);
    let second = written(&spare, &bytes, 999);
    assert_eq!(held(&spare), 0);
    drop(second);
    assert_eq!(held(&spare), 2, "of a file that was given up, too");
}
