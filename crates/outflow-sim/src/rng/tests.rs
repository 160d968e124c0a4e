use super::{Domain, Rng, splitmix64};

#[test]
fn splitmix64_gives_the_published_numbers() {
    let mut state = 1_234_567;
    let drawn: Vec<u64> = (0..3).map(|_| splitmix64(&mut state)).collect();
    assert_eq!(
        drawn,
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn xoshiro_gives_the_published_numbers() {
    let mut rng = Rng {
        state: [1, 2, 3, 4],
    };
    let drawn: Vec<u64> = (0..4).map(|_| rng.bits()).collect();
    assert_eq!(drawn, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
}

#[test]
fn equal_keys_give_equal_streams_and_others_do_not() {
    let first = |domain, key| Rng::keyed(7, domain, key).bits();
    assert_eq!(first(Domain::Script, [1, 2]), first(Domain::Script, [1, 2]));
    assert_ne!(first(Domain::Script, [1, 2]), first(Domain::Script, [2, 1]));
    assert_ne!(first(Domain::Script, [1, 2]), first(Domain::Views, [1, 2]));
}

#[test]
fn draws_stay_in_their_ranges() {
    let mut rng = Rng::keyed(1, Domain::Inventory, [0, 0]);
    for _ in 0..10_000 {
        assert!((3..=9).contains(&rng.between(3, 9)));
        assert!((100..=5_000).contains(&rng.heavy(100, 5_000)));
        assert!((75..=125).contains(&rng.around(100)));
    }
    assert_eq!(rng.below(0), 0);
}

#[test]
fn counts_have_the_mean_asked_for() {
    let mut rng = Rng::keyed(1, Domain::Inventory, [0, 1]);
    let total: u64 = (0..10_000).map(|_| rng.count(250)).sum();
    assert!((24_000..26_000).contains(&total), "{total}");
}

#[test]
fn heavy_draws_double_with_the_documented_probability() {
    let mut rng = Rng::keyed(1, Domain::Inventory, [0, 2]);
    let doubled = (0..10_000)
        .filter(|_| rng.heavy(1_000, 1 << 40) >= 2_000)
        .count();
    assert!((3_800..4_300).contains(&doubled), "{doubled}");
}
