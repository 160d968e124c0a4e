//! Rules as Suricata reads them, as far as to tell whether they drop what they do not know.

use crate::firewall::{Effect, said};

/// Options that say something of a rule, or of the state of a connection, and ask nothing of what is in it.
const PLAIN: [&str; 10] = [
    "classtype",
    "flow",
    "gid",
    "metadata",
    "msg",
    "noalert",
    "priority",
    "reference",
    "rev",
    "sid",
];

/// Whether an option asks nothing of what is in a packet.
pub(crate) fn is_plain(option: &str) -> bool {
    let name = option.split(':').next().unwrap_or("").trim();
    PLAIN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether an option takes connections only until they are open: to pass these lets later rules see what is asked for.
pub(crate) fn is_of_opening(option: &str) -> bool {
    option.contains("not_established")
}

/// What rules do together, and how that is said.
pub(crate) fn effect(text: &str) -> Result<(Effect, String), String> {
    let mut most = Effect::Tells;
    // A line that ends in a backslash goes on in the next.
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        most = most.max(of_rule(line)?);
    }
    Ok((most, said(most).to_owned()))
}

fn of_rule(line: &str) -> Result<Effect, String> {
    let (header, options) = line.split_once('(').unwrap_or((line, ""));
    let (action, header) = header
        .split_once(char::is_whitespace)
        .unwrap_or((header, ""));
    let drops = match action.to_ascii_lowercase().as_str() {
        "pass" => false,
        "drop" | "reject" | "rejectsrc" | "rejectdst" | "rejectboth" => true,
        "alert" => return Ok(Effect::Tells),
        _ => return Err("a rule is not understood".to_owned()),
    };
    let options = options.trim_end().trim_end_matches(')');
    let mut all = split(options).filter(|option| !option.trim().is_empty());
    let plain = all.all(|option| is_plain(option) && (drops || !is_of_opening(option)));
    let parts: Vec<&str> = header.split_ascii_whitespace().collect();
    let [protocol, source, _, direction, destination, port] = parts[..] else {
        // A list of networks may have blanks: what is passed by one is not known.
        let understood = Err("a rule that passes is not understood".to_owned());
        return if drops {
            Ok(Effect::DropsSome)
        } else {
            understood
        };
    };
    let any = |text: &str, more: &[&str]| text.eq_ignore_ascii_case("any") || more.contains(&text);
    let anywhere = any(destination, &["$EXTERNAL_NET", "!$HOME_NET", "0.0.0.0/0"])
        && any(source, &["$HOME_NET", "0.0.0.0/0"])
        && any(port, &[])
        && matches!(direction, "->" | "<>");
    let protocol = protocol.to_ascii_lowercase();
    Ok(match (drops, anywhere && plain, protocol.as_str()) {
        (true, true, "ip" | "tcp") => Effect::DropsRest,
        (true, ..) => Effect::DropsSome,
        (false, true, "ip" | "tcp") => Effect::PassesAll,
        (false, ..) => Effect::Tells,
    })
}

/// The options of a rule: texts in quotes may have what divides them.
fn split(options: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    options.split(move |char| {
        let divides = char == ';' && !quoted && !escaped;
        quoted ^= char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        divides
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_drop_the_rest_are_told_from_those_that_drop_what_they_name() {
        for (text, expected) in [
            (
                "drop ip any any -> any any (msg:\"rest\"; sid:1; rev:1;)",
                Effect::DropsRest,
            ),
            (
                "pass tls $HOME_NET any -> any 443 (tls.sni; content:\"a.example\"; sid:1;)\n\
              drop tcp $HOME_NET any -> $EXTERNAL_NET any (flow:established,to_server; sid:2;)",
                Effect::DropsRest,
            ),
            (
                "# drop ip any any -> any any (sid:1;)\nalert tcp any any -> any any (sid:2;)",
                Effect::Tells,
            ),
            (
                "drop tls any any -> any any (tls.sni; content:\"bad.example\"; sid:1;)",
                Effect::DropsSome,
            ),
            ("drop tcp any any -> any 22 (sid:1;)", Effect::DropsSome),
            (
                "drop tcp any any -> [10.0.0.0/8, 192.168.0.0/16] any (sid:1;)",
                Effect::DropsSome,
            ),
            ("drop udp any any -> any any (sid:1;)", Effect::DropsSome),
            // What stands in a text is no option.
            (
                "drop ip any any -> any any (msg:\"a; content:b\"; sid:1;)",
                Effect::DropsRest,
            ),
            (
                "drop ip any any -> any any (msg:\"a\\\"; content:b\"; sid:1;)",
                Effect::DropsRest,
            ),
            (
                "drop ip any any \\\n -> any any (sid:1;)",
                Effect::DropsRest,
            ),
            (
                "pass ip any any -> any any (sid:1;)\ndrop ip any any -> any any (sid:2;)",
                Effect::PassesAll,
            ),
            (
                "pass tcp any any -> any any (sid:1;)\ndrop ip any any -> any any (sid:2;)",
                Effect::PassesAll,
            ),
            // Connections are opened, so that the name that is asked for is seen.
            (
                "pass tcp any any -> any any (flow:not_established, to_server; sid:1;)\ndrop ip any any -> any any (sid:2;)",
                Effect::DropsRest,
            ),
            ("", Effect::Tells),
        ] {
            assert_eq!(effect(text).unwrap().0, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_not_understood() {
        for text in [
            "permit ip any any",
            "pass ip any any -> [10.0.0.0/8, 1.1.1.1] any (sid:1;)",
            "drop\u{0}",
        ] {
            assert!(effect(text).is_err(), "{text}");
        }
        assert_eq!(effect("drop").unwrap().0, Effect::DropsSome);
    }
}
