use super::*;

/// Texts of every length up to 80, which differ in one place each.
fn texts() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for len in 1..80 {
        texts.push(vec![b'a'; len]);
        for place in 0..len {
            let mut text = vec![b'a'; len];
            text[place] = b'b';
            texts.push(text);
        }
    }
    texts
}

#[test]
fn each_text_has_one_number_and_keeps_it() {
    let texts = texts();
    let mut interner = Interner::new();
    for _ in 0..2 {
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(interner.intern(text) as usize, number);
        }
    }
    assert_eq!(interner.len(), texts.len());
    assert!(interner.texts().eq(texts.iter().map(Vec::as_slice)));
}

#[test]
fn texts_are_found_wherever_they_lie() {
    let mut interner = Interner::new();
    let texts = texts();
    for text in &texts {
        interner.intern(text);
    }
    for (number, text) in texts.iter().enumerate() {
        for before in 0..3 {
            let mut buf = vec![b'x'; before];
            buf.extend_from_slice(text);
            buf.extend_from_slice(b" OK more\n");
            let found = interner.find(&buf, before, before + text.len());
            assert_eq!(found.map(|id| id as usize), Some(number));
        }
    }
    assert_eq!(interner.find(b"aaac and more", 0, 4), None);
}

#[test]
fn a_likely_slot_holds_its_own_text_only() {
    let mut interner = Interner::new();
    let buf = b"eni-1 eni-2 and what follows";
    assert!(!interner.holds(interner.likely(buf, 0, 5), buf, 0, 5));
    let id = interner.intern(b"eni-1");
    let slot = interner.likely(buf, 0, 5);
    assert!(interner.holds(slot, buf, 0, 5) && slot.id == id);
    assert!(!interner.holds(slot, buf, 6, 11));
}
