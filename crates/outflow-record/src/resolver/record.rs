//! One query, on its way from the text to the columns, and the meaning of its values, which both readings share.

use super::DnsField;
use crate::{Addr, Timestamp};

/// A record whose values have been checked. Texts are bytes of UTF-8, which the columns check once a batch.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    /// Microseconds since 1970.
    pub query_timestamp: i64,
    /// As it is written; never empty.
    pub query_name: &'a [u8],
    /// What goes into dictionaries, by [`DnsField::index`].
    pub texts: [Option<&'a [u8]>; DnsField::ALL.len()],
    pub answers: Option<Vec<Answer<'a>>>,
    pub srcaddr: Option<Addr>,
    pub srcport: Option<u16>,
    /// Whether there is a key that is not read.
    pub unknown_key: bool,
    /// Texts that are those of the row before, by [`DnsField::bit`]. Whoever does not know has none.
    pub repeats: u32,
}

/// One record of the answer.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Answer<'a> {
    pub rdata: Option<&'a [u8]>,
    pub kind: Option<&'a [u8]>,
    pub class: Option<&'a [u8]>,
}

/// Reads `2022-10-13T21:02:36Z` as microseconds since 1970. A fraction of any length is cut to microseconds; a space
/// may stand for the `T`, and the `Z` may be missing, as the time is UTC anyway.
pub(super) fn read_timestamp(text: &[u8]) -> Option<i64> {
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T' | b' ',
        rest @ ..,
    ] = text
    else {
        return None;
    };
    let [h0, h1, b':', n0, n1, b':', s0, s1, rest @ ..] = rest else {
        return None;
    };
    let year = i64::from(two_digits(*y0, *y1)?) * 100 + i64::from(two_digits(*y2, *y3)?);
    let date = (year, two_digits(*m0, *m1)?, two_digits(*d0, *d1)?);
    let clock = (
        two_digits(*h0, *h1)?,
        two_digits(*n0, *n1)?,
        two_digits(*s0, *s1)?,
    );
    let micros = match rest.strip_suffix(b"Z").unwrap_or(rest) {
        [] => 0,
        [b'.', fraction @ ..] => read_fraction(fraction)?,
        _ => return None,
    };
    Some(Timestamp::from_utc(date, clock)?.secs() * 1_000_000 + micros)
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| (tens & 15) * 10 + (ones & 15))
}

fn read_fraction(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let six = digits.iter().copied().chain([b'0'; 6]).take(6);
    Some(six.fold(0, |sum, digit| sum * 10 + i64::from(digit & 15)))
}

/// Reads a port, which the log has as text.
pub(super) fn read_port(text: &[u8]) -> Option<u16> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    text.parse().ok()
}

/// Reads an address.
pub(super) fn read_addr(text: &[u8]) -> Option<Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
