//! `labels.csv`: what of a world or a capture is malicious, as its maker says.

use std::fs;
use std::path::Path;

/// A labelled conversation of an interface.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) eni: String,
    pub(crate) peer: String,
    pub(crate) protocol: u8,
    pub(crate) malicious: bool,
    /// The scenario, or what its maker calls it.
    pub(crate) label: String,
    /// Both directions.
    pub(crate) packets: u64,
    /// Both directions, headers included.
    pub(crate) bytes: u64,
    /// From the interface, headers included.
    pub(crate) bytes_out: u64,
}

impl Label {
    /// Who sent and where to.
    pub(crate) fn pair(&self) -> (&str, &str) {
        (&self.eni, &self.peer)
    }

    /// Bytes beyond the headers that every packet has, IPv4 as all the sets are.
    pub(crate) fn payload(&self) -> u64 {
        let header = match self.protocol {
            6 => 52,
            17 => 28,
            other => panic!("no header length for protocol {other}"),
        };
        self.bytes.saturating_sub(header * self.packets)
    }
}

/// The labels in a folder.
pub(crate) fn read(folder: &Path) -> Vec<Label> {
    let text = fs::read_to_string(folder.join("labels.csv")).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|own| *own == name).unwrap();
    lines
        .map(|line| {
            let values: Vec<&str> = line.split(',').collect();
            assert_eq!(values.len(), names.len(), "{line}");
            let number = |name: &str| values[at(name)].parse::<u64>().unwrap();
            Label {
                eni: values[at("eni")].to_owned(),
                peer: values[at("peer")].to_owned(),
                protocol: values[at("protocol")].parse().unwrap(),
                malicious: values[at("class")] == "malicious",
                label: values[at("label")].to_owned(),
                packets: number("packets_out") + number("packets_in"),
                bytes: number("bytes_out") + number("bytes_in"),
                bytes_out: number("bytes_out"),
            }
        })
        .collect()
}
