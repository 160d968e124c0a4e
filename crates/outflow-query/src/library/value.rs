//! Values of parameters.

use std::fmt;
use std::str::FromStr;

use arrow_schema::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use outflow_record::{Addr, Timestamp};

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    Text,
    /// An IPv4 or IPv6 address, in whatever spelling; the query gets it as the lake writes it.
    Address,
    /// A whole number.
    Bigint,
    /// A number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A time in UTC, or a day for its first moment.
    Timestamp,
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Address => "address",
            Self::Bigint => "bigint",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
        })
    }
}

impl FromStr for ParameterKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let all = [
            Self::Text,
            Self::Address,
            Self::Bigint,
            Self::Double,
            Self::Boolean,
            Self::Timestamp,
        ];
        all.into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or(())
    }
}

impl ParameterKind {
    /// What a value must look like.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "expected a text",
            Self::Address => "expected an address, as 203.0.113.9 or 2001:db8::1",
            Self::Bigint => "expected a whole number",
            Self::Double => "expected a number, as 0.8",
            Self::Boolean => "expected `true` or `false`",
            Self::Timestamp => "expected a time as 2026-10-01T12:00:00Z, or a day as 2026-10-01",
        }
    }

    /// Reads a value; `null` is none, of any kind.
    pub fn parse(self, text: &str) -> Option<ScalarValue> {
        let null = text.eq_ignore_ascii_case("null");
        Some(match self {
            Self::Text => ScalarValue::Utf8View((!null).then(|| text.to_owned())),
            Self::Address => {
                let addr: Option<Addr> = value(null, text)?;
                ScalarValue::Utf8View(addr.map(|addr| addr.to_string()))
            }
            Self::Bigint => ScalarValue::Int64(value(null, text)?),
            Self::Double => {
                let number: Option<f64> = value(null, text)?;
                // No question has a sense with these, and no answer is one.
                if number.is_some_and(|number| !number.is_finite()) {
                    return None;
                }
                ScalarValue::Float64(number)
            }
            Self::Boolean => ScalarValue::Boolean(value(null, text)?),
            Self::Timestamp => {
                let at: Option<Timestamp> = value(null, text)?;
                let micros = at.map(|at| at.secs().checked_mul(1_000_000));
                if micros == Some(None) {
                    return None;
                }
                ScalarValue::TimestampMicrosecond(micros.flatten(), Some("UTC".into()))
            }
        })
    }

    /// The type of its values.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Address => DataType::Utf8View,
            Self::Bigint => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// None within if there is no value, none outside if the text is no value.
fn value<T: FromStr>(null: bool, text: &str) -> Option<Option<T>> {
    match null {
        true => Some(None),
        false => text.parse().ok().map(Some),
    }
}
