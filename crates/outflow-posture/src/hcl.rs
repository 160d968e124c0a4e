//! Texts within HCL, the language of Terraform.

use std::fmt::Write;

/// Characters of a rule's description at most, by AWS.
pub const DESCRIPTION_CHARS_MAX: usize = 255;

/// What a description may have beside letters and digits.
const DESCRIPTION_SIGNS: &str = ". _-:/()#,@[]+=&;{}!$*";

/// A text as a description of AWS: other characters become `_`, and what is too long is cut.
pub(crate) fn description(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || DESCRIPTION_SIGNS.contains(c);
    let chars = text.chars().map(|c| if fits(c) { c } else { '_' });
    chars.take(DESCRIPTION_CHARS_MAX).collect()
}

/// A text as a label of a resource.
pub(crate) fn label(text: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("e_{}", text.chars().map(fits).collect::<String>())
}

/// A text as a literal of HCL, in which nothing is interpolated.
pub(crate) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => literal.extend([c, c]),
            c if c.is_control() => {
                let _ = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}
