use super::*;

fn rows(text: &str, width: usize) -> (usize, Vec<u32>) {
    let mut padded = text.as_bytes().to_vec();
    padded.resize(padded.len().next_multiple_of(STEP) + STEP, b'x');
    let mut delimiters = Delimiters::new(width, 16);
    let rows = delimiters.find(&padded, 16);
    (rows, delimiters.starts()[..=rows * width].to_vec())
}

#[test]
fn tokens_of_ordinary_lines_are_found() {
    assert_eq!(rows("ab c\nd ef\n", 2), (2, vec![0, 3, 5, 7, 10]));
}

#[test]
fn a_line_with_another_number_of_tokens_ends_the_block() {
    assert_eq!(rows("a b\nc d e\nf g\n", 2).0, 1);
    assert_eq!(rows("a b\nc\nd\nf g\n", 2).0, 1);
    assert_eq!(rows("a\nb c\n", 2).0, 0);
    assert_eq!(rows(&"a ".repeat(4000), 2).0, 0);
}
