//! What elements of an answer are: text, number, truth, list or object; and their names in JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::xml::Element;

/// What an element is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Number,
    Bool,
    /// Elements called `item`.
    List(&'static Shape),
    Object(&'static [Member]),
}

/// An element of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its name in XML.
    pub(crate) xml: &'static str,
    /// Its name in JSON, where that is not the same in PascalCase.
    pub(crate) json: Option<&'static str>,
    pub(crate) shape: Shape,
}

/// Defines an object: members as `xml`, `xml as Json`, each with its shape behind a colon: `int`, `bool`, `[]` for a
/// list of texts, `[…]` for one of objects, `{…}` for an object; text without one.
macro_rules! object {
    ($($xml:ident $(as $json:ident)? $(: $shape:tt)?),* $(,)?) => {
        $crate::api::shape::Shape::Object(&[$($crate::api::shape::Member {
            xml: stringify!($xml),
            json: $crate::api::shape::renamed!($($json)?),
            shape: $crate::api::shape::shape!($($shape)?),
        }),*])
    };
}

macro_rules! renamed {
    () => {
        None
    };
    ($json:ident) => {
        Some(stringify!($json))
    };
}

macro_rules! shape {
    () => { $crate::api::shape::Shape::Text };
    (int) => { $crate::api::shape::Shape::Number };
    (bool) => { $crate::api::shape::Shape::Bool };
    ([]) => { $crate::api::shape::Shape::List(&$crate::api::shape::Shape::Text) };
    ([$($member:tt)+]) => {
        $crate::api::shape::Shape::List(&$crate::api::shape::object!($($member)+))
    };
    ({$($member:tt)+}) => { $crate::api::shape::object!($($member)+) };
}

pub(crate) use {object, renamed, shape};

impl Shape {
    /// An element as JSON. Members that are not known are left out, and named in `left_out`.
    pub(crate) fn read(
        &self,
        element: &Element,
        left_out: &mut BTreeSet<String>,
    ) -> Result<Value, String> {
        let wrong = |what| format!("<{}> is no {what}: `{:.40}`", element.name, element.text);
        match self {
            Self::Text => Ok(element.text.clone().into()),
            Self::Number => {
                let number = element.text.trim().parse::<i64>();
                number.map(Value::from).map_err(|_| wrong("number"))
            }
            Self::Bool => match element.text.trim() {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(wrong("truth value")),
            },
            Self::List(of) => {
                let items = element.children.iter();
                let items = items.filter(|child| child.name == "item");
                items.map(|item| of.read(item, left_out)).collect()
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for child in &element.children {
                    let Some(member) = members.iter().find(|member| member.xml == child.name)
                    else {
                        left_out.insert(format!("{}.{}", element.name, child.name));
                        continue;
                    };
                    object.insert(member.name(), member.shape.read(child, left_out)?);
                }
                Ok(object.into())
            }
        }
    }
}

impl Member {
    fn name(&self) -> String {
        self.json.map_or_else(|| pascal(self.xml), str::to_owned)
    }
}

/// A name with its first letter in upper case.
pub(crate) fn pascal(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_json_by_their_shape() {
        const SHAPE: Shape = object! {
            id, default as IsDefault: bool, fromPort: int, tagSet as Tags: [key, value], ids: [], state: {code: int, name}
        };
        let xml = "<item><id>123456789012</id><default>true</default><fromPort>-1</fromPort><tagSet><item><key>true</key>\
                   <value/></item></tagSet><ids/><state><code>16</code><name>running</name><new>x</new></state></item>";
        let mut left_out = BTreeSet::new();
        let json = SHAPE.read(&Element::parse(xml).unwrap(), &mut left_out);
        let expected = json!({"Id": "123456789012", "IsDefault": true, "FromPort": -1, "Ids": [],
            "Tags": [{"Key": "true", "Value": ""}], "State": {"Code": 16, "Name": "running"}});
        assert_eq!(json.unwrap(), expected);
        assert_eq!(left_out.into_iter().collect::<Vec<_>>(), ["state.new"]);
        for xml in [
            "<item><fromPort>x</fromPort></item>",
            "<item><default/></item>",
        ] {
            let element = Element::parse(xml).unwrap();
            assert!(SHAPE.read(&element, &mut BTreeSet::new()).is_err(), "{xml}");
        }
    }
}
