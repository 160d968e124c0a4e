//! Values of places, as clients send them: in text or in the binary form of their type.

use arrow_schema::{DataType, TimeUnit};
use datafusion::scalar::ScalarValue;
use pgwire::api::Type;

use crate::problem::{Problem, sqlstate};

/// Seconds from the start of Unix's count of time to that of PostgreSQL's, 2000-01-01.
const EPOCH_SECS: i64 = 946_684_800;

/// Digits of a number at most, before and behind its point.
const DIGITS_MAX: usize = 38;

/// A type that a client may name by its number. None, if values of it are not taken.
pub(super) fn known(oid: u32) -> Option<Type> {
    Type::from_oid(oid)
}

/// The type that a place has whose engine's type is this.
pub(super) fn of_engine(of: &DataType) -> Type {
    match of {
        DataType::Boolean => Type::BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Type::INT2,
        DataType::Int32 | DataType::UInt16 => Type::INT4,
        DataType::Int64 | DataType::UInt32 => Type::INT8,
        DataType::Float16 | DataType::Float32 => Type::FLOAT4,
        DataType::Float64 => Type::FLOAT8,
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => Type::NUMERIC,
        DataType::Date32 | DataType::Date64 => Type::DATE,
        DataType::Timestamp(_, Some(_)) => Type::TIMESTAMPTZ,
        DataType::Timestamp(_, None) => Type::TIMESTAMP,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Type::BYTEA,
        _ => Type::TEXT,
    }
}

/// The engine's type of values of a type.
pub(super) fn to_engine(of: &Type) -> DataType {
    match *of {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 => DataType::Int32,
        Type::INT8 | Type::OID => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::DATE => DataType::Date32,
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::NUMERIC => DataType::Decimal128(38, 10),
        Type::INT2_ARRAY
        | Type::INT4_ARRAY
        | Type::INT8_ARRAY
        | Type::TEXT_ARRAY
        | Type::VARCHAR_ARRAY => DataType::new_list(to_engine(&element(of)), true),
        _ => DataType::Utf8View,
    }
}

fn text(of: impl Into<String>) -> ScalarValue {
    ScalarValue::Utf8View(Some(of.into()))
}

/// Reads a value in text.
pub(super) fn of_text(bytes: &[u8], of: &Type) -> Result<ScalarValue, Problem> {
    let told = std::str::from_utf8(bytes)
        .map_err(|_| Problem::new("22021", "invalid byte sequence for encoding \"UTF8\""))?;
    let wrong = || {
        Problem::new(
            sqlstate::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type {}: \"{told}\"", of.name()),
        )
    };
    let trimmed = told.trim();
    Ok(match *of {
        Type::BOOL => match trimmed.to_lowercase().as_str() {
            "t" | "true" | "on" | "yes" | "y" | "1" => ScalarValue::Boolean(Some(true)),
            "f" | "false" | "off" | "no" | "n" | "0" => ScalarValue::Boolean(Some(false)),
            _ => return Err(wrong()),
        },
        Type::INT2 => ScalarValue::Int16(Some(trimmed.parse().map_err(|_| wrong())?)),
        Type::INT4 => ScalarValue::Int32(Some(trimmed.parse().map_err(|_| wrong())?)),
        Type::INT8 | Type::OID => ScalarValue::Int64(Some(trimmed.parse().map_err(|_| wrong())?)),
        Type::FLOAT4 => ScalarValue::Float32(Some(trimmed.parse().map_err(|_| wrong())?)),
        Type::FLOAT8 => ScalarValue::Float64(Some(trimmed.parse().map_err(|_| wrong())?)),
        Type::NUMERIC => number(trimmed).ok_or_else(wrong)?,
        Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let value = text(trimmed).cast_to(&to_engine(of));
            value.map_err(|_| Problem {
                code: sqlstate::INVALID_DATETIME_FORMAT,
                ..wrong()
            })?
        }
        Type::BYTEA => return Err(unsupported(of)),
        Type::INT2_ARRAY
        | Type::INT4_ARRAY
        | Type::INT8_ARRAY
        | Type::TEXT_ARRAY
        | Type::VARCHAR_ARRAY => of_text_array(told, of).ok_or_else(wrong)?,
        _ => text(told),
    })
}

/// Reads a value in binary.
pub(super) fn of_binary(bytes: &[u8], of: &Type) -> Result<ScalarValue, Problem> {
    let wrong = || {
        Problem::new(
            sqlstate::INVALID_BINARY_REPRESENTATION,
            format!("incorrect binary data format of type {}", of.name()),
        )
    };
    fn exact<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
        bytes.try_into().ok()
    }
    let value = match *of {
        Type::BOOL => exact::<1>(bytes).map(|[byte]| ScalarValue::Boolean(Some(byte != 0))),
        Type::INT2 => exact(bytes).map(|bytes| ScalarValue::Int16(Some(i16::from_be_bytes(bytes)))),
        Type::INT4 => exact(bytes).map(|bytes| ScalarValue::Int32(Some(i32::from_be_bytes(bytes)))),
        Type::INT8 => exact(bytes).map(|bytes| ScalarValue::Int64(Some(i64::from_be_bytes(bytes)))),
        Type::OID => {
            exact(bytes).map(|bytes| ScalarValue::Int64(Some(u32::from_be_bytes(bytes).into())))
        }
        Type::FLOAT4 => {
            exact(bytes).map(|bytes| ScalarValue::Float32(Some(f32::from_be_bytes(bytes))))
        }
        Type::FLOAT8 => {
            exact(bytes).map(|bytes| ScalarValue::Float64(Some(f64::from_be_bytes(bytes))))
        }
        Type::DATE => exact(bytes).and_then(|bytes| {
            let days = i64::from(i32::from_be_bytes(bytes)) + EPOCH_SECS / 86_400;
            Some(ScalarValue::Date32(Some(i32::try_from(days).ok()?)))
        }),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => exact(bytes).and_then(|bytes| {
            let micros = i64::from_be_bytes(bytes).checked_add(EPOCH_SECS * 1_000_000)?;
            let zone = (*of == Type::TIMESTAMPTZ).then(|| "UTC".into());
            Some(ScalarValue::TimestampMicrosecond(Some(micros), zone))
        }),
        Type::NUMERIC => of_binary_number(bytes),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::CHAR => {
            std::str::from_utf8(bytes).ok().map(text)
        }
        Type::INT2_ARRAY
        | Type::INT4_ARRAY
        | Type::INT8_ARRAY
        | Type::TEXT_ARRAY
        | Type::VARCHAR_ARRAY => {
            return of_binary_array(bytes, of)?.ok_or_else(wrong);
        }
        _ => return Err(unsupported(of)),
    };
    value.ok_or_else(wrong)
}

fn unsupported(of: &Type) -> Problem {
    Problem::new(
        sqlstate::FEATURE_NOT_SUPPORTED,
        format!("values of type {} are not taken for a parameter", of.name()),
    )
}

/// A number with a point, exactly if it has not too many digits.
fn number(text: &str) -> Option<ScalarValue> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part}");
    let unsigned = digits.trim_start_matches(['+', '-']);
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit())
        || unsigned.is_empty()
        || unsigned.len() > DIGITS_MAX
    {
        let value: f64 = text.parse().ok()?;
        return Some(ScalarValue::Float64(Some(value)));
    }
    if part.is_empty()
        && let Ok(value) = whole.parse()
    {
        return Some(ScalarValue::Int64(Some(value)));
    }
    let scale = i8::try_from(part.len()).ok()?;
    let precision = u8::try_from(unsigned.len()).ok()?.max(1);
    Some(ScalarValue::Decimal128(
        Some(digits.parse().ok()?),
        precision,
        scale,
    ))
}

/// The binary form of a number: digits to the base of ten thousand.
fn of_binary_number(bytes: &[u8]) -> Option<ScalarValue> {
    let words: Vec<i16> = bytes
        .chunks(2)
        .map(|word| Some(i16::from_be_bytes(word.try_into().ok()?)))
        .collect::<Option<_>>()?;
    let [count, weight, sign, scale, digits @ ..] = words.as_slice() else {
        return None;
    };
    if usize::try_from(*count).ok()? != digits.len()
        || digits.iter().any(|digit| !(0..10_000).contains(digit))
    {
        return None;
    }
    match sign.cast_unsigned() {
        0x0000 | 0x4000 => {}
        0xc000 => return Some(ScalarValue::Float64(Some(f64::NAN))),
        _ => return None,
    }
    let digit = |at: i16| {
        usize::try_from(at)
            .ok()
            .and_then(|at| digits.get(at))
            .copied()
            .unwrap_or(0)
    };
    let (weight, scale) = (*weight, usize::try_from(*scale).ok()?);
    if !(-20..20).contains(&weight) || scale > DIGITS_MAX {
        return None;
    }
    let mut text = String::new();
    for at in 0..=weight.max(0) {
        // Places before the first digit there is are zeros.
        let value = if weight < 0 { 0 } else { digit(at) };
        text.push_str(&format!("{value:04}"));
    }
    let mut part = String::new();
    let mut at = weight + 1;
    while part.len() < scale {
        part.push_str(&format!("{:04}", digit(at)));
        at += 1;
    }
    part.truncate(scale);
    let whole = text.trim_start_matches('0');
    let minus = if *sign == 0 { "" } else { "-" };
    let whole = if whole.is_empty() { "0" } else { whole };
    match part.is_empty() {
        true => number(&format!("{minus}{whole}")),
        false => number(&format!("{minus}{whole}.{part}")),
    }
}

fn element(of: &Type) -> Type {
    match *of {
        Type::INT2_ARRAY => Type::INT2,
        Type::INT4_ARRAY => Type::INT4,
        Type::INT8_ARRAY => Type::INT8,
        _ => Type::TEXT,
    }
}

fn list(values: &[ScalarValue], of: &Type) -> ScalarValue {
    let inner = to_engine(&element(of));
    ScalarValue::List(ScalarValue::new_list_nullable(values, &inner))
}

/// `{1,2,NULL}`, `{"a b",c}`.
fn of_text_array(text: &str, of: &Type) -> Option<ScalarValue> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let of_element = element(of);
    let null = ScalarValue::try_from(to_engine(&of_element)).ok()?;
    let mut values = Vec::new();
    let mut chars = inner.chars().peekable();
    while chars.peek().is_some() {
        let (mut word, mut quoted) = (String::new(), false);
        loop {
            match chars.next() {
                Some('"') => {
                    quoted = true;
                    loop {
                        match chars.next()? {
                            '"' => break,
                            '\\' => word.push(chars.next()?),
                            other => word.push(other),
                        }
                    }
                }
                Some('\\') => word.push(chars.next()?),
                Some(',') | None => break,
                // An array of arrays is none of these types.
                Some('{' | '}') => return None,
                Some(other) => word.push(other),
            }
        }
        let value = match !quoted && word.eq_ignore_ascii_case("null") {
            true => null.clone(),
            false => of_text(word.as_bytes(), &of_element).ok()?,
        };
        values.push(value);
    }
    Some(list(&values, of))
}

fn of_binary_array(bytes: &[u8], of: &Type) -> Result<Option<ScalarValue>, Problem> {
    let mut rest = bytes;
    let mut word = || -> Option<i32> {
        let (first, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        Some(i32::from_be_bytes(*first))
    };
    let (Some(dimensions), Some(_), Some(_)) = (word(), word(), word()) else {
        return Ok(None);
    };
    if dimensions == 0 {
        return Ok(Some(list(&[], of)));
    }
    let (Some(count), Some(_)) = (word(), word()) else {
        return Ok(None);
    };
    // Each element has at least its length.
    let most = bytes.len() / 4;
    let count = usize::try_from(count).ok().filter(|count| *count <= most);
    let (Some(count), 1) = (count, dimensions) else {
        return Ok(None);
    };
    let of_element = element(of);
    let null = ScalarValue::try_from(to_engine(&of_element)).map_err(Problem::from)?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let Some((length, after)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        rest = after;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            values.push(null.clone());
            continue;
        };
        let Some((value, after)) = rest.split_at_checked(length) else {
            return Ok(None);
        };
        rest = after;
        values.push(of_binary(value, &of_element)?);
    }
    Ok(Some(list(&values, of)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_values_are_those_of_the_protocol() {
        let is = |bytes: &[u8], of: Type, told: ScalarValue| {
            assert_eq!(of_binary(bytes, &of).unwrap(), told);
        };
        is(&[0xff, 0xfe], Type::INT2, ScalarValue::Int16(Some(-2)));
        is(&[0; 4], Type::DATE, ScalarValue::Date32(Some(10_957)));
        is(
            &[0; 8],
            Type::TIMESTAMPTZ,
            ScalarValue::TimestampMicrosecond(Some(946_684_800_000_000), Some("UTC".into())),
        );
        // 12345.678: digits 1, 2345, 6780.
        let number = [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 9, 41, 0x1a, 0x7c];
        is(
            &number,
            Type::NUMERIC,
            ScalarValue::Decimal128(Some(12_345_678), 8, 3),
        );
        // -0.0001: one digit, of weight -1.
        let small = [0, 1, 0xff, 0xff, 0x40, 0, 0, 4, 0, 1];
        is(
            &small,
            Type::NUMERIC,
            ScalarValue::Decimal128(Some(-1), 5, 4),
        );
        let list_of = [
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x17, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7,
        ];
        is(
            &list_of,
            Type::INT4_ARRAY,
            list(&[ScalarValue::Int32(Some(7))], &Type::INT4_ARRAY),
        );
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for of in [
            Type::INT4,
            Type::NUMERIC,
            Type::TIMESTAMP,
            Type::INT4_ARRAY,
            Type::BOOL,
        ] {
            for bytes in [
                &b""[..],
                b"\xff",
                b"\0\0\0\x01\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\x01",
            ] {
                if of == Type::BOOL && bytes.len() == 1 {
                    continue;
                }
                assert!(of_binary(bytes, &of).is_err(), "{of} {bytes:?}");
            }
        }
        assert_eq!(of_text(b"x", &Type::INT4).unwrap_err().code, "22P02");
        assert_eq!(
            of_text(b"yesterday-ish", &Type::TIMESTAMP)
                .unwrap_err()
                .code,
            "22007"
        );
        assert_eq!(of_text(b"\xff", &Type::TEXT).unwrap_err().code, "22021");
    }

    #[test]
    fn texts_are_read_as_their_type() {
        assert_eq!(
            of_text(b" 7 ", &Type::INT8).unwrap(),
            ScalarValue::Int64(Some(7))
        );
        assert_eq!(
            of_text(b"1.50", &Type::NUMERIC).unwrap(),
            ScalarValue::Decimal128(Some(150), 3, 2)
        );
        let told = of_text(br#"{"a, b",c,NULL}"#, &Type::TEXT_ARRAY).unwrap();
        let expected = [text("a, b"), text("c"), ScalarValue::Utf8View(None)];
        assert_eq!(told, list(&expected, &Type::TEXT_ARRAY));
    }
}
