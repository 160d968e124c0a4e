//! The closed set of families: which kind of behaviour a finding reports.
//!
//! The names are part of the output format. They are what analysts filter and suppress by, so a name is
//! never reused for something else.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Error;

macro_rules! families {
    ($($variant:ident $name:literal $doc:literal;)+) => {
        /// The kind of behaviour that a finding reports.
        ///
        /// ```
        /// use outflow_finding::Family;
        /// assert_eq!("dns.tunnel".parse(), Ok(Family::DnsTunnel));
        /// assert_eq!(Family::DnsTunnel.to_string(), "dns.tunnel");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Family { $(#[doc = $doc] $variant,)+ }

        impl Family {
            /// Every family, in the order in which they compare.
            pub const ALL: &'static [Family] = &[$(Family::$variant,)+];

            /// The name in output, filters and suppressions.
            pub const fn name(self) -> &'static str {
                match self { $(Family::$variant => $name,)+ }
            }
        }
    };
}

families! {
    VolumeLedger "volume.ledger" "Bytes to one destination exceed what the ledger of the sender allows over a long horizon.";
    VolumeShift "volume.shift" "The sender's egress rose above its own history and that of its peers.";
    VolumeTotal "volume.total" "All that a sender has an explanation for adds up to more than it ever sent.";
    VolumeServed "volume.served" "Far more bytes than usual left in answer to connections from outside.";
    DestinationRare "destination.rare" "A destination that the network never, or hardly ever, sent to before.";
    DnsTunnel "dns.tunnel" "DNS traffic that carries data.";
    DnsBypass "dns.bypass" "DNS sent past the resolvers of the network.";
    Beacon "beacon" "Connections to one destination at regular intervals.";
    ConnectionLong "connection.long" "A connection that stays open for unusually long.";
    ProtocolMisuse "protocol.misuse" "A protocol or port that carries what it is not meant to carry.";
    ScanFanout "scan.fanout" "One sender tries many hosts or ports.";
    StagingRelay "staging.relay" "Data gathered from inside hosts, then sent out by one of them.";
    PolicyJurisdiction "policy.jurisdiction" "Bytes left to a country or operator that policy forbids.";
    PolicyPath "policy.path" "Bytes left on a path that policy forbids.";
    PolicyTelemetry "policy.telemetry" "Logs, metrics or objects left to a site, customer or bucket that policy forbids, or to a second one beside that in use.";
    PolicyPort "policy.port" "Bytes left to a port that policy forbids.";
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Family {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Family::ALL
            .iter()
            .copied()
            .find(|family| family.name() == name)
            .ok_or_else(|| Error::UnknownFamily {
                name: name.to_owned(),
            })
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests;
