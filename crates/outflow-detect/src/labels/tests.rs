use super::*;

#[test]
fn the_built_in_model_can_be_read_and_is_small() {
    assert!(LabelModel::from_bytes(BUILT_IN).is_ok());
    assert!(BUILT_IN.len() <= 400_000, "{}", BUILT_IN.len());
}

#[test]
fn each_context_is_a_code_that_can_be_decoded() {
    let model = LabelModel::built_in();
    for row in model.steps.chunks(SYMBOLS) {
        let length = |steps: &u8| f64::from(*steps) * f64::from(STEP_MILLIBITS) / 1_000.0;
        let sum: f64 = row.iter().map(|steps| (-length(steps)).exp2()).sum();
        assert!(sum <= 1.0 + 1e-9, "{sum}: not more than there is room for");
        assert!(row.iter().all(|steps| *steps > 0));
    }
}

#[test]
fn every_name_has_a_length_and_none_is_free() {
    let model = LabelModel::built_in();
    for name in [
        "",
        "a",
        ".",
        "..",
        "\u{0}\u{7f}",
        "żółw",
        "A-_.",
        &"e".repeat(100_000),
    ] {
        assert!(model.millibits(name) >= NAME_MILLIBITS_MIN, "{name}");
    }
    assert_eq!(model.millibits("WWW"), model.millibits("www"));
}

/// Digits that nobody chose.
fn random(len: usize, alphabet: &[u8], seed: u64) -> String {
    let mut state = seed;
    let mut digit = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(alphabet[(state >> 33) as usize % alphabet.len()])
    };
    (0..len).map(|_| digit()).collect()
}

#[test]
fn no_encoding_is_shorter_than_what_it_carries() {
    let model = LabelModel::built_in();
    let alphabets: [(&[u8], f64); 5] = [
        (b"abcdefghijklmnopqrstuvwxyz234567", 5.0),
        (b"0123456789abcdef", 4.0),
        (b"0123456789", std::f64::consts::LOG2_10),
        (b"aeio", 2.0),
        (b"eo", 1.0),
    ];
    for (alphabet, bits) in alphabets {
        for len in [8, 31, 63] {
            let names = (0..200).map(|seed| random(len, alphabet, seed + 1));
            let all: u64 = names.map(|name| u64::from(model.millibits(&name))).sum();
            let carried = 200.0 * bits * len as f64 * 1_000.0;
            assert!(
                all as f64 >= carried,
                "{bits} bits, {len} long: {all} of {carried}"
            );
        }
    }
}

#[test]
fn training_makes_what_was_seen_short() {
    let mut counts = LabelCounts::default();
    for _ in 0..100 {
        counts.add("www.mail");
    }
    let model = LabelModel::from_bytes(&counts.into_model()).unwrap();
    assert!(model.millibits("www.mail") < 6_000);
    assert!(model.millibits("xqzkvjwp") > 40_000);
}

#[test]
fn damaged_bytes_are_no_model() {
    for bytes in [&b""[..], &BUILT_IN[..BUILT_IN.len() - 1], &BUILT_IN[1..]] {
        assert!(LabelModel::from_bytes(bytes).is_err());
    }
}
