//! Text from logs, made safe for a terminal.
//!
//! Tags, domains and object names are chosen by others, perhaps by whom the finding is about. Printed as they
//! are, they could move the cursor, recolour or reorder what stands before them.

/// The text with every character that a terminal would act on, or not show, written out as `\n` or
/// `\u{202e}`, and cut to `chars_max` characters, of which the last is then `…`.
pub fn escape(text: &str, chars_max: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(chars_max));
    for (shown, c) in text.chars().enumerate() {
        if shown + 1 >= chars_max && text.chars().nth(chars_max).is_some() {
            safe.push('…');
            break;
        }
        if acts(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a terminal acts on the character: controls (C0, DEL, C1), and what is invisible or changes the direction
/// of text.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
