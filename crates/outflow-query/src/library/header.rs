//! The header of a saved query: comments of the form `-- key: value` before the SQL.
//!
//! ```text
//! -- name: top_talkers
//! -- question: Who sent the most payload out, and where to?
//! -- param: since timestamp = null: only what started then or later
//! -- column: payload_bytes: bytes beyond headers
//! ```

use super::{Bounds, Column, LibraryError, Parameter, SavedQuery};

/// Reads a saved query out of the text of a file.
pub(super) fn parse(file: &str, text: &str) -> Result<SavedQuery, LibraryError> {
    let mut query = SavedQuery {
        name: String::new(),
        question: String::new(),
        parameters: Vec::new(),
        columns: Vec::new(),
        sql: text.to_owned(),
    };
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: String| LibraryError::Header {
            file: file.to_owned(),
            line: at + 1,
            what,
        };
        let Some(comment) = line.trim_start().strip_prefix("--") else {
            if line.trim().is_empty() {
                continue;
            }
            break;
        };
        let Some((key, value)) = comment.trim().split_once(':') else {
            continue;
        };
        add(&mut query, key.trim(), value.trim()).map_err(wrong)?;
    }
    let lacks = |what: &str| LibraryError::Header {
        file: file.to_owned(),
        line: 1,
        what: format!("the header has no line `-- {what}: …`"),
    };
    if query.name.is_empty() {
        return Err(lacks("name"));
    }
    if query.question.is_empty() {
        return Err(lacks("question"));
    }
    Ok(query)
}

fn add(query: &mut SavedQuery, key: &str, value: &str) -> Result<(), String> {
    match key {
        "name" if is_name(value) => query.name = value.to_owned(),
        "name" => {
            return Err(format!(
                "`{value}` is no name: use lower case letters, digits and underscores"
            ));
        }
        "question" => {
            if !query.question.is_empty() {
                query.question.push(' ');
            }
            query.question.push_str(value);
        }
        "param" => {
            let parameter = parameter(value)?;
            if query
                .parameters
                .iter()
                .any(|known| known.name == parameter.name)
            {
                return Err(format!("there is a parameter `{}` already", parameter.name));
            }
            query.parameters.push(parameter);
        }
        "column" => {
            let (name, tells) = value
                .split_once(':')
                .ok_or("expected `-- column: NAME: what it holds`")?;
            query.columns.push(Column {
                name: name.trim().to_owned(),
                tells: tells.trim().to_owned(),
            });
        }
        // Any other comment.
        _ => {}
    }
    Ok(())
}

/// Reads `since timestamp = null: what it means`, or `top bigint 1.. = 100: what it means`.
fn parameter(text: &str) -> Result<Parameter, String> {
    const FORM: &str = "expected `-- param: NAME TYPE = DEFAULT: what it means`, behind TYPE perhaps values as 1.., 0..23 or a|b";
    // A time has colons: what it means begins behind one with a space.
    let (declared, tells) = text.split_once(": ").ok_or(FORM)?;
    let (declared, default) = match declared.split_once('=') {
        Some((declared, default)) => (declared, Some(default.trim().to_owned())),
        None => (declared, None),
    };
    let mut words = declared.split_whitespace();
    let (Some(name), Some(kind), bounds, None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(FORM.to_owned());
    };
    if !is_name(name) {
        return Err(format!("`{name}` is no name of a parameter"));
    }
    let kind = kind.parse().map_err(|()| {
        format!("`{kind}` is no type: use text, bigint, double, boolean or timestamp")
    })?;
    let bounds = match bounds {
        None => Bounds::None,
        Some(text) => Bounds::parse(text).ok_or(FORM)?,
    };
    let parameter = Parameter {
        name: name.to_owned(),
        kind,
        bounds,
        default,
        tells: tells.trim().to_owned(),
    };
    match &parameter.default {
        Some(default) => match kind.parse(default) {
            None => Err(format!("`{default}` is no {kind}")),
            Some(value) if !parameter.takes(&value) => {
                Err(format!("`{default}` is not {}", parameter.bounds))
            }
            Some(_) => Ok(parameter),
        },
        None => Ok(parameter),
    }
}

fn is_name(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty()
        && text.bytes().all(is_fit)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}
