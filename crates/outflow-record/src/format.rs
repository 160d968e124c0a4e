//! Which fields a file has, and in which order.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Field, LogKind};

/// The fields of a flow log, in the order in which its lines have them.
///
/// A flow log's format is what its subscriber chose: the `version` value of a record does not tell it, and
/// neither does a count of tokens that fits several.
///
/// ```
/// use outflow_record::{Field, Format};
/// let format: Format = "${version} ${interface-id} ${bytes}".parse().unwrap();
/// assert_eq!(format.fields(), [Field::Version, Field::InterfaceId, Field::Bytes]);
/// assert_eq!(format.to_string(), "${version} ${interface-id} ${bytes}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Format {
    columns: Vec<Column>,
    fields: Vec<Field>,
    kind: LogKind,
}

/// One token of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Column {
    /// A field that some version up to 11 has.
    Known(Field),
    /// A name that a header declares and no version up to 11 has: its tokens are skipped.
    Unknown(String),
}

/// The fields of the default format of Transit Gateway flow logs.
const TRANSIT_GATEWAY: [Field; 36] = [
    Field::Version,
    Field::ResourceType,
    Field::AccountId,
    Field::TgwId,
    Field::TgwAttachmentId,
    Field::TgwSrcVpcAccountId,
    Field::TgwDstVpcAccountId,
    Field::TgwSrcVpcId,
    Field::TgwDstVpcId,
    Field::TgwSrcSubnetId,
    Field::TgwDstSubnetId,
    Field::TgwSrcEni,
    Field::TgwDstEni,
    Field::TgwSrcAzId,
    Field::TgwDstAzId,
    Field::TgwPairAttachmentId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::LogStatus,
    Field::Type,
    Field::PacketsLostNoRoute,
    Field::PacketsLostBlackhole,
    Field::PacketsLostMtuExceeded,
    Field::PacketsLostTtlExpired,
    Field::TcpFlags,
    Field::Region,
    Field::FlowDirection,
    Field::PktSrcAwsService,
    Field::PktDstAwsService,
];

impl Format {
    /// The immutable default format of version 2: 14 fields.
    pub fn version_2() -> Self {
        Self::of_known(Field::ALL[..14].to_vec())
    }

    /// The 29 fields of versions 2 to 5 in AWS's order, the most common custom format.
    pub fn version_5() -> Self {
        Self::of_known(Field::ALL[..29].to_vec())
    }

    /// The default format of Transit Gateway flow logs: all of their 36 fields in AWS's order.
    pub fn transit_gateway() -> Self {
        Self {
            columns: TRANSIT_GATEWAY.map(Column::Known).into(),
            fields: TRANSIT_GATEWAY.into(),
            kind: LogKind::TransitGateway,
        }
    }

    /// The format with these fields.
    ///
    /// # Errors
    /// [`Error::EmptyFormat`] without any field, [`Error::RepeatedField`] where one is named twice,
    /// [`Error::MixedKinds`] where one is of VPC and another of Transit Gateway flow logs alone.
    pub fn try_new(fields: Vec<Field>) -> Result<Self, Error> {
        Self::try_from_columns(fields.into_iter().map(Column::Known).collect())
    }

    fn try_from_columns(columns: Vec<Column>) -> Result<Self, Error> {
        let mut fields = Vec::new();
        for column in &columns {
            if let Column::Known(field) = column {
                if fields.contains(field) {
                    return Err(Error::RepeatedField { field: *field });
                }
                fields.push(*field);
            }
        }
        if fields.is_empty() {
            return Err(Error::EmptyFormat);
        }
        let kind = LogKind::of(&fields)?;
        Ok(Self {
            columns,
            fields,
            kind,
        })
    }

    fn of_known(fields: Vec<Field>) -> Self {
        Self {
            columns: fields.iter().copied().map(Column::Known).collect(),
            fields,
            kind: LogKind::Vpc,
        }
    }

    /// What the log records, told by the names of its fields. A format of nothing but fields that both kinds have is
    /// taken for one of VPC flow logs.
    pub fn kind(&self) -> LogKind {
        self.kind
    }

    /// The tokens of a line, in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The known fields, in the order of the line's tokens.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The token position of a field, if the format has it.
    pub fn position(&self, field: Field) -> Option<usize> {
        self.columns
            .iter()
            .position(|own| *own == Column::Known(field))
    }

    /// The format that a header line declares, or `None` if the line is not a header.
    ///
    /// A header is a line of bare field names. A name that is not known is taken as a field of a later
    /// version, and its tokens skipped, as long as most names are known; a record is never taken for a
    /// header, as its addresses, numbers and `-` are no field names.
    ///
    /// # Errors
    /// As [`Format::try_new`], for a header that no log has.
    pub fn from_header(line: &str) -> Option<Result<Self, Error>> {
        let names: Vec<&str> = line.split_ascii_whitespace().collect();
        if !names.iter().all(|name| looks_like_field(name)) {
            return None;
        }
        let column = |name: &&str| {
            let known = Field::ALL
                .iter()
                .copied()
                .find(|field| field.name() == *name);
            known.map_or_else(|| Column::Unknown((*name).to_owned()), Column::Known)
        };
        let columns: Vec<Column> = names.iter().map(column).collect();
        let known = columns
            .iter()
            .filter(|column| matches!(column, Column::Known(_)))
            .count();
        (known * 2 > columns.len()).then(|| Self::try_from_columns(columns))
    }
}

/// Whether a line that is no header seems meant as one: several of its words are field names once case, quotes,
/// commas and underscores are set aside. Reading what stands behind it in another format would be a guess.
pub(crate) fn is_spoilt_header(line: &str) -> bool {
    /// Field names that no record holds by chance.
    const NAMES_MIN: usize = 3;
    let word = |word: &str| {
        let plain = word
            .trim_matches(|c: char| !c.is_ascii_alphanumeric())
            .to_ascii_lowercase();
        Field::ALL
            .iter()
            .any(|field| field.name() == plain.replace('_', "-"))
    };
    let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';' || c == '\0');
    words.filter(|own| word(own)).take(NAMES_MIN).count() == NAMES_MIN
}

fn looks_like_field(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_lowercase())
        && token
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, column) in self.columns.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            match column {
                Column::Known(field) => write!(f, "{space}${{{field}}}")?,
                Column::Unknown(name) => write!(f, "{space}${{{name}}}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Reads what `DescribeFlowLogs` returns, its shell and Terraform escapes (`$${…}`, `\${…}`), or bare names.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fields = text
            .split(|c: char| c.is_ascii_whitespace() || c == ',')
            .filter(|token| !token.is_empty())
            .map(|token| {
                let bare = token.trim_start_matches(['\\', '$']);
                let inner = bare
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                inner.unwrap_or(bare).parse()
            })
            .collect::<Result<Vec<Field>, Error>>()?;
        Self::try_new(fields)
    }
}
