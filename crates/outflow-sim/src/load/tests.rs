use super::Shape;

#[test]
fn offices_are_quiet_on_saturday() {
    let percent = |text: &str| Shape::Office.percent(text.parse().unwrap());
    assert_eq!(percent("2026-09-04T10:59:59Z"), 240); // a Friday
    assert_eq!(percent("2026-09-05T10:00:00Z"), 60);
    assert_eq!(percent("2026-09-07T10:00:00Z"), 240);
}

#[test]
fn weekdays_average_to_about_one_hundred_percent() {
    for shape in [Shape::People, Shape::Office, Shape::Nightly] {
        let total: u64 = (0..24)
            .map(|hour| shape.percent(format!("2026-09-01T{hour:02}:00").parse().unwrap()))
            .sum();
        assert!((95..=110).contains(&(total / 24)), "{shape:?}: {total}");
    }
}
