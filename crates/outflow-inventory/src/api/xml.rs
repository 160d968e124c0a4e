//! Answers in XML, as a tree of elements.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// Elements within elements that are read: AWS's answers have ten. A deeper one is an error.
const DEPTH_MAX: usize = 64;

/// An element: its name without prefix, its text, and the elements in it. Attributes say nothing in answers of AWS.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document: its outermost element.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        // The first stands for the document itself.
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|error| error.to_string())?;
            match event {
                Event::Start(start) => {
                    if open.len() > DEPTH_MAX {
                        return Err(format!("it has elements {DEPTH_MAX} deep"));
                    }
                    open.push(Self::named(start.local_name().as_ref()));
                }
                Event::Empty(start) => {
                    let own = Self::named(start.local_name().as_ref());
                    top(&mut open)?.children.push(own);
                }
                Event::End(_) => {
                    let own = open.pop().ok_or_else(early)?;
                    top(&mut open)?.children.push(own);
                }
                Event::Text(piece) => {
                    let piece = piece.xml_content().map_err(|error| error.to_string())?;
                    top(&mut open)?.text.push_str(&piece);
                }
                Event::CData(piece) => {
                    let piece = piece.decode().map_err(|error| error.to_string())?;
                    top(&mut open)?.text.push_str(&piece);
                }
                Event::GeneralRef(named) => top(&mut open)?.text.push_str(&resolved(&named)?),
                Event::Eof => break,
                // A document type could define entities that grow without end, and no answer of AWS has one.
                Event::DocType(_) => return Err("it has a document type".to_owned()),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty()).ok_or_else(early)?;
        let mut outermost = document.children.into_iter();
        outermost
            .next()
            .ok_or_else(|| "it has no element".to_owned())
    }

    fn named(name: &[u8]) -> Self {
        Self {
            name: String::from_utf8_lossy(name).into_owned(),
            ..Self::default()
        }
    }

    /// The first element of a name in this one.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the element that a path of names leads to.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let mut own = self;
        for name in path {
            own = own.child(name)?;
        }
        Some(own.text.trim())
    }
}

fn top(open: &mut [Element]) -> Result<&mut Element, String> {
    open.last_mut().ok_or_else(early)
}

fn early() -> String {
    "its elements do not end as they begin".to_owned()
}

/// What `&amp;` and `&#38;` stand for.
fn resolved(named: &BytesRef<'_>) -> Result<String, String> {
    let char = named.resolve_char_ref();
    if let Some(char) = char.map_err(|error| error.to_string())? {
        return Ok(char.to_string());
    }
    let name = named.decode().map_err(|error| error.to_string())?;
    let known = resolve_predefined_entity(&name).map(str::to_owned);
    known.ok_or_else(|| format!("`&{name};` stands for nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "<?xml version=\"1.0\"?>\n<x:R xmlns:x=\"u\"><!-- c --><set><item><a>1 &lt;&#38;&amp; 2</a><b/></item>\
                    </set><p><![CDATA[{\"a\": \"<b>\"}]]></p></x:R>";
        let root = Element::parse(text).unwrap();
        assert_eq!(root.name, "R");
        assert_eq!(root.text_at(&["set", "item", "a"]), Some("1 <&& 2"));
        assert_eq!(root.text_at(&["set", "item", "b"]), Some(""));
        assert_eq!(root.text_at(&["p"]), Some("{\"a\": \"<b>\"}"));
        assert_eq!(root.text_at(&["set", "other"]), None);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(80);
        let entity = "<!DOCTYPE a [<!ENTITY b \"x\">]><a>&b;</a>";
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a>&b;</a>",
            entity,
            &deep,
        ] {
            assert!(Element::parse(text).is_err(), "{text:.40}");
        }
    }
}
