//! What is true about a world, in the columns of `labels.csv`.

use std::fmt::Write;

use outflow_record::{Addr, Timestamp};

use crate::Class;

/// What a scenario moved between one interface and one peer, as the interface's own rows count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The data set: `sim-` and the seed.
    pub set: String,
    /// The interface on which it happened.
    pub eni: String,
    /// Its private address.
    pub eni_ip: Addr,
    /// The host outside.
    pub peer: Addr,
    /// IANA protocol number.
    pub protocol: u8,
    /// Port of the peer; 0 where the protocol has none.
    pub service_port: u16,
    /// Who began: `outbound` is the interface.
    pub direction: &'static str,
    /// `start` of the first row.
    pub start: Timestamp,
    /// `end` of the last row.
    pub end: Timestamp,
    /// Whether it is to be found.
    pub class: Class,
    /// Name of the scenario.
    pub label: String,
    /// ATT&CK technique; empty where benign.
    pub technique: &'static str,
    /// Kind of program.
    pub tool: &'static str,
    /// Connections.
    pub flows: u64,
    /// Packets that left the interface.
    pub packets_out: u64,
    /// Bytes that left it, with headers.
    pub bytes_out: u64,
    /// Packets that came back.
    pub packets_in: u64,
    /// Bytes that came back, with headers.
    pub bytes_in: u64,
}

const HEADER: &str = "set,eni,eni_ip,peer,protocol,service_port,direction,start,end,class,label,\
                      technique,tool,flows,packets_out,bytes_out,packets_in,bytes_in\n";

/// The labels as CSV with a header line. No value holds a comma or a quote, so none is quoted.
///
/// ```
/// let csv = outflow_sim::labels_csv(&[]);
/// assert!(csv.starts_with("set,eni,eni_ip,peer,protocol,service_port,direction,start,end,class,"));
/// ```
pub fn labels_csv(labels: &[Label]) -> String {
    let mut csv = HEADER.to_owned();
    for label in labels {
        let Label {
            set,
            eni,
            eni_ip,
            peer,
            protocol,
            service_port,
            direction,
            ..
        } = label;
        let Label {
            technique,
            tool,
            flows,
            packets_out,
            bytes_out,
            packets_in,
            bytes_in,
            ..
        } = label;
        let (start, end) = (label.start.secs(), label.end.secs());
        let (class, name) = (label.class.name(), &label.label);
        // Writing to a string cannot fail.
        let _ = writeln!(
            csv,
            "{set},{eni},{eni_ip},{peer},{protocol},{service_port},{direction},{start},{end},{class},\
             {name},{technique},{tool},{flows},{packets_out},{bytes_out},{packets_in},{bytes_in}"
        );
    }
    csv
}
