//! Punycode (RFC 3492), as far as comparing with rules in Unicode needs it: one way, and one label.

use std::borrow::Cow;

/// The smallest and greatest threshold of a digit, and how they adapt (RFC 3492, section 5).
const BASE: u32 = 36;
const THRESHOLD_MIN: u32 = 1;
const THRESHOLD_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_CODE: u32 = 128;

/// The Unicode form of a label that begins with `xn--`; any other, and one that is not well formed, as it is.
pub(super) fn decoded(label: &str) -> Cow<'_, str> {
    let unicode = label.strip_prefix("xn--").and_then(decode);
    unicode.map_or(Cow::Borrowed(label), Cow::Owned)
}

fn decode(encoded: &str) -> Option<String> {
    let (basic, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut output: Vec<char> = basic.chars().collect();
    let mut digits = digits.bytes().map(digit).peekable();
    let (mut code, mut place, mut bias) = (INITIAL_CODE, 0u32, INITIAL_BIAS);
    while digits.peek().is_some() {
        let before = place;
        let mut weight = 1u32;
        for round in 1.. {
            let digit = digits.next()??;
            place = place.checked_add(digit.checked_mul(weight)?)?;
            let threshold = (BASE * round).saturating_sub(bias);
            let threshold = threshold.clamp(THRESHOLD_MIN, THRESHOLD_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let length = u32::try_from(output.len()).ok()?.checked_add(1)?;
        bias = adapted(place - before, length, before == 0);
        code = code.checked_add(place / length)?;
        place %= length;
        output.insert(usize::try_from(place).ok()?, char::from_u32(code)?);
        place += 1;
    }
    Some(output.into_iter().collect())
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn adapted(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = delta / if first { DAMP } else { 2 };
    delta += delta / length;
    let mut bias = 0;
    while delta > (BASE - THRESHOLD_MIN) * THRESHOLD_MAX / 2 {
        delta /= BASE - THRESHOLD_MIN;
        bias += BASE;
    }
    bias + (BASE - THRESHOLD_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_or_stay() {
        for (label, expected) in [
            ("xn--55qx5d", "公司"),
            ("xn--mnchen-3ya", "münchen"),
            ("xn--bcher-kva", "bücher"),
            ("xn--p1ai", "рф"),
            ("plain", "plain"),
            ("xn--", ""),
            ("xn--!", "xn--!"),
            ("xn--99999999999999", "xn--99999999999999"),
            ("xn--a-", "a"),
        ] {
            assert_eq!(decoded(label), expected);
        }
    }
}
