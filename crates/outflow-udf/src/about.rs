//! What a function is, for people and for the engine.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use datafusion_expr::{DocSection, Documentation, Signature, TypeSignature, Volatility};

/// A function of SQL, as its help has it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// What it is given.
    pub arguments: &'static [Argument],
    /// What it may be given beyond that, in this order.
    pub optional: &'static [Argument],
    /// What it returns.
    pub returns: Kind,
    /// What it tells: a sentence or more, with units, and what makes it null.
    pub tells: &'static str,
    /// What makes it fail; empty if nothing does.
    pub fails: &'static str,
    /// A query that shows it.
    pub example: &'static str,
    /// What that query answers; empty if it depends on a context.
    pub answer: &'static str,
}

/// An argument of a function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it is.
    pub tells: &'static str,
}

/// A type of SQL that functions take or return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `TEXT`.
    Text,
    /// `BIGINT`.
    Long,
    /// `DOUBLE`.
    Double,
    /// `BOOLEAN`.
    Flag,
    /// `TIMESTAMP`, in UTC.
    Time,
    /// `INTERVAL`.
    Span,
    /// `BYTEA`.
    Bytes,
    /// Whatever there is.
    Any,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Long => "bigint",
            Self::Double => "double",
            Self::Flag => "boolean",
            Self::Time => "timestamp",
            Self::Span => "interval",
            Self::Bytes => "bytea",
            Self::Any => "any",
        })
    }
}

impl Kind {
    /// The type as the engine has it; texts are given for [`Kind::Any`].
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Any => DataType::Utf8View,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Flag => DataType::Boolean,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Span => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Bytes => DataType::Binary,
        }
    }
}

impl About {
    /// How it is called: `cidr_contains(cidr text, addr text) → boolean`, with what may be left out in brackets.
    pub fn call(&self) -> String {
        let told = |argument: &Argument| format!("{} {}", argument.name, argument.kind);
        let needed: Vec<String> = self.arguments.iter().map(told).collect();
        let optional = self.optional.iter().map(told);
        let optional: String = optional.map(|text| format!("[, {text}]")).collect();
        let needed = needed.join(", ");
        format!("{}({needed}{optional}) → {}", self.name, self.returns)
    }

    /// What the engine takes for its arguments.
    fn signature(&self) -> Signature {
        let exact = |optional: usize| {
            let given = self.arguments.iter().chain(&self.optional[..optional]);
            TypeSignature::Exact(given.map(|argument| argument.kind.arrow()).collect())
        };
        let types = match self.arguments {
            [] => TypeSignature::Nullary,
            [only] if only.kind == Kind::Any => TypeSignature::Any(1),
            // Tables have them as views, and what is computed has not.
            [only] if only.kind == Kind::Bytes => TypeSignature::OneOf(
                [
                    DataType::BinaryView,
                    DataType::Binary,
                    DataType::LargeBinary,
                ]
                .map(|of| TypeSignature::Exact(vec![of]))
                .into(),
            ),
            _ if self.optional.is_empty() => exact(0),
            _ => TypeSignature::OneOf((0..=self.optional.len()).map(exact).collect()),
        };
        Signature::new(types, Volatility::Immutable)
    }

    /// The description in the form that the engine has for it.
    fn documentation(&self) -> Documentation {
        let section = DocSection {
            include: true,
            label: "Outflow",
            description: None,
        };
        let mut built = Documentation::builder(section, self.tells, self.call());
        for argument in self.arguments.iter().chain(self.optional) {
            built = built.with_argument(argument.name, argument.tells);
        }
        built.with_sql_example(self.example).build()
    }
}

/// A function as the engine wants it described. A session has one of a name: the name tells it from others.
pub(crate) struct Described {
    pub(crate) about: &'static About,
    pub(crate) signature: Signature,
    pub(crate) documentation: Documentation,
}

impl Described {
    pub(crate) fn new(about: &'static About) -> Self {
        Self {
            about,
            signature: about.signature(),
            documentation: about.documentation(),
        }
    }
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about.name)
    }
}

impl PartialEq for Described {
    fn eq(&self, other: &Self) -> bool {
        self.about.name == other.about.name
    }
}

impl Eq for Described {}

impl Hash for Described {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.about.name.hash(state);
    }
}
