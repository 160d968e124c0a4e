//! The shapes that records of different publishers have, read as one.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Geo;

/// The keys that tell countries and networks, each of any type: the type tells the publisher.
#[derive(Debug, Deserialize)]
pub(super) struct Shape<'a> {
    #[serde(borrow, default)]
    country: Value<'a>,
    #[serde(borrow, default)]
    registered_country: Value<'a>,
    #[serde(borrow, default)]
    country_code: Value<'a>,
    #[serde(borrow, default)]
    country_name: Value<'a>,
    #[serde(borrow, default)]
    autonomous_system_number: Value<'a>,
    #[serde(borrow, default)]
    autonomous_system_organization: Value<'a>,
    #[serde(borrow, default)]
    asn: Value<'a>,
    #[serde(borrow, default)]
    as_name: Value<'a>,
}

/// A value of a record. What nests is passed over unless it is a country's map, so that a hostile record does not
/// lead as deep as it likes: an untagged enum of serde would follow it all the way.
#[derive(Debug, Clone, Copy, Default)]
enum Value<'a> {
    Number(u32),
    Text(&'a str),
    Country(Country<'a>),
    #[default]
    Other,
}

/// A country as MaxMind and DB-IP have it.
#[derive(Debug, Clone, Copy, Default)]
struct Country<'a> {
    code: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Shape<'a> {
    pub(super) fn geo(&self) -> Geo<'a> {
        let own_name = self.country_name.text();
        let own_code = self.country_code.text().and_then(iso);
        let (country_code, country_name) = match self.country {
            Value::Country(country) => (country.code.and_then(iso), country.name),
            // A code beside it says that this is the name; alone, it is the code.
            Value::Text(name) if own_code.is_some() => (own_code, own_name.or(Some(name))),
            Value::Text(code) => (iso(code), own_name),
            _ => (own_code, own_name),
        };
        let registered_country_code = match self.registered_country {
            Value::Country(country) => country.code.and_then(iso),
            _ => None,
        };
        let number = self.autonomous_system_number.number();
        let org = self.autonomous_system_organization.text();
        Geo {
            country_code,
            country_name: country_name.filter(|_| country_code.is_some()),
            registered_country_code,
            asn: number.or(self.asn.number()),
            org: org.or(self.as_name.text()),
            unread: 0,
        }
    }
}

/// A code of two capital letters; anything else, such as an empty text, is none.
fn iso(text: &str) -> Option<&str> {
    let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    code.then_some(text)
}

impl<'a> Value<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// `13335`, `"13335"` or `"AS13335"`.
    fn number(self) -> Option<u32> {
        match self {
            Value::Number(number) => Some(number),
            Value::Text(text) => text.strip_prefix("AS").unwrap_or(text).parse().ok(),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut country = Country::default();
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "iso_code" => country.code = map.next_value()?,
                "names" => country.name = map.next_value::<English<'de>>()?.en,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Country(country))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }
}

#[derive(Deserialize)]
struct English<'a> {
    #[serde(borrow)]
    en: Option<&'a str>,
}
