use super::*;

#[test]
fn plain_text_stays_as_it_is() {
    for text in ["", "eni-0a1", "straße → 東京 · 1.2 GB", "C:\\logs\\x"] {
        assert_eq!(escape(text, 100), text);
    }
}

#[test]
fn nothing_that_a_terminal_acts_on_is_left() {
    let hostile = "a\x1b[2Jb\r\n\tc\x07\x7f\u{9b}31m\u{202e}txt\u{200b}\u{2066}\u{feff}\u{e0041}";
    let safe = escape(hostile, 1000);
    assert!(safe.chars().all(|c| !acts(c)), "{safe:?}");
    assert_eq!(
        safe,
        "a\\u{1b}[2Jb\\r\\n\\tc\\u{7}\\u{7f}\\u{9b}31m\\u{202e}txt\\u{200b}\\u{2066}\\u{feff}\\u{e0041}"
    );
}

#[test]
fn long_text_is_cut_and_says_so() {
    assert_eq!(escape("abcdef", 6), "abcdef");
    assert_eq!(escape("abcdefg", 6), "abcde…");
    assert_eq!(escape("ééééééé", 6), "ééééé…");
}
