//! Text of others within markup.

use crate::escape::acts;

/// Characters of a text that are shown; of a longer one, the last is `…`.
const CHARS_MAX: usize = 4_000;

/// The text as text of HTML, within elements and quoted attributes. What a reader would not see, or would see in
/// another order, is written out as for a terminal; of more than 4,000 characters the rest is left out, which `…` shows.
pub fn html_text(text: &str) -> String {
    escaped(text, |_| false)
}

/// As [`html_text`], with the lines of the text.
pub(super) fn esc_lines(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len().min(CHARS_MAX));
    for (shown, c) in text.chars().enumerate() {
        if shown == CHARS_MAX {
            safe.push('…');
            break;
        }
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if acts(c) && !is_kept(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// The text with a capital first letter, of what is our own.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
