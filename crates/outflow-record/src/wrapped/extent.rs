//! Where a value of JSON ends, by its grammar.

/// Nesting beyond which JSON makes no sense here. Deliveries have four levels.
const DEPTH_MAX: u32 = 64;

/// How far a value reaches.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// Of each object or list that is open, the innermost lowest, whether it is an object.
    objects: u64,
    depth: u32,
    state: Lexeme,
    next: Next,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lexeme {
    #[default]
    Between,
    Text,
    Escape,
    /// A number or a name.
    Word,
}

/// What may follow within a value.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Next {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

pub(super) enum Scanned {
    /// The value goes on behind the bytes.
    More,
    /// It ends with this many of them.
    Ended(usize),
    /// It makes no sense behind this many.
    Broken(usize),
}

impl Extent {
    /// Goes on through `bytes`; `fresh` says whether they begin a line.
    pub(super) fn scan(&mut self, bytes: &[u8], mut fresh: bool) -> Scanned {
        for (at, byte) in bytes.iter().enumerate() {
            match (self.state, byte) {
                (Lexeme::Escape, _) => self.state = Lexeme::Text,
                (Lexeme::Text, b'\\') => self.state = Lexeme::Escape,
                (Lexeme::Text, b'"') => {
                    self.state = Lexeme::Between;
                    if self.depth == 0 {
                        return Scanned::Ended(at + 1);
                    }
                }
                (Lexeme::Text, 0..0x20) => return Scanned::Broken(at),
                (Lexeme::Text, _) => {}
                (Lexeme::Word, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {}
                (Lexeme::Word, _) if self.depth == 0 => return Scanned::Ended(at),
                (Lexeme::Word | Lexeme::Between, byte) if byte.is_ascii_whitespace() => {
                    self.state = Lexeme::Between;
                }
                // No one writes nested objects at the start of a line: the one under way was never closed.
                (Lexeme::Between, b'{') if fresh => return Scanned::Broken(at),
                (Lexeme::Word | Lexeme::Between, byte) => {
                    self.state = Lexeme::Between;
                    if self.step(*byte).is_none() {
                        return Scanned::Broken(at);
                    }
                    if self.depth == 0 && self.state == Lexeme::Between {
                        return Scanned::Ended(at + 1);
                    }
                }
            }
            fresh = *byte == b'\n';
        }
        Scanned::More
    }

    /// Goes on with a byte between texts, words and blanks; `None` if it may not stand there. What stands there shows
    /// at once where a text was cut or a quote is one too many, so that no damage reaches further than it must.
    fn step(&mut self, byte: u8) -> Option<()> {
        use Next::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};
        let is_object = self.objects & 1 == 1;
        self.next = match (self.next, byte) {
            (Value | ValueOrEnd, b'{' | b'[') if self.depth < DEPTH_MAX => {
                self.depth += 1;
                self.objects = self.objects << 1 | u64::from(byte == b'{');
                if byte == b'{' { KeyOrEnd } else { ValueOrEnd }
            }
            (KeyOrEnd, b'}') | (ValueOrEnd, b']') => self.close(),
            (CommaOrEnd, b'}') if is_object => self.close(),
            (CommaOrEnd, b']') if !is_object => self.close(),
            (CommaOrEnd, b',') if is_object => Key,
            (CommaOrEnd, b',') => Value,
            (Colon, b':') => Value,
            (Key | KeyOrEnd, b'"') => {
                self.state = Lexeme::Text;
                Colon
            }
            (Value | ValueOrEnd, b'"') => {
                self.state = Lexeme::Text;
                CommaOrEnd
            }
            (Value | ValueOrEnd, b'-' | b'a'..=b'z' | b'0'..=b'9') => {
                self.state = Lexeme::Word;
                CommaOrEnd
            }
            _ => return None,
        };
        Some(())
    }

    fn close(&mut self) -> Next {
        self.depth -= 1;
        self.objects >>= 1;
        Next::CommaOrEnd
    }
}
