//! What is read of the XML of AWS's answers: texts of elements that do not hold themselves.

/// The text of the first element of a name.
pub(super) fn text<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    block(xml, name).map(str::trim)
}

/// What the first element of a name holds; `None` if there is none, or it is empty.
pub(super) fn block<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(held, _)| held)
}

/// Texts of all elements of a name.
pub(super) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(open.as_str()).skip(1);
    let texts = parts.filter_map(|part| part.split_once(close.as_str()));
    texts.map(|(text, _)| text.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name() {
        let xml = "<a><set><item><id> x </id></item><item><id>y</id></item></set><none/></a>";
        assert_eq!(texts(block(xml, "set").unwrap(), "id"), ["x", "y"]);
        assert_eq!(text(xml, "id"), Some("x"));
        assert_eq!((text(xml, "none"), text(xml, "other")), (None, None));
    }
}
