//! Countries and networks of addresses, from databases in MaxMind's format.

mod shape;

use std::fmt;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use outflow_record::{Addr, Timestamp};

use crate::Error;
use crate::prefixes::published;
use shape::Shape;

/// Records of a database that are tried when it is added: it is refused if one of them cannot be read, or if none
/// of them tells a country or a network. So a wrong file is told at the start, without reading all of a large one.
pub const GEO_SAMPLE_MAX: usize = 1_000;

/// What databases say of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Geo<'a> {
    /// Country of the address, ISO 3166-1 alpha-2.
    pub country_code: Option<&'a str>,
    /// Its English name, where the database that gave the code has one.
    pub country_name: Option<&'a str>,
    /// Country in which the network is registered, which need not be where the address is: the only one that is
    /// known of anycast addresses.
    pub registered_country_code: Option<&'a str>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system, where the database that gave the number has one.
    pub org: Option<&'a str>,
    /// Databases whose record of the address cannot be read, so that `None` above may be for want of it.
    pub unread: u32,
}

/// Databases of countries and networks: of each attribute, the first database that has it tells.
///
/// They are taken by the shape of what they say, not by name: GeoLite2 and GeoIP2 (Country, City, ASN, ISP), DB-IP
/// lite, IPinfo (lite, country and ASN).
#[derive(Default)]
pub struct GeoDatabases {
    readers: Vec<Reader<Vec<u8>>>,
    has_countries: bool,
    has_networks: bool,
}

impl GeoDatabases {
    /// Adds a database, behind those that are there.
    ///
    /// # Errors
    /// [`Error::BadDatabase`] if the bytes are no such database, are damaged (as far as [`GEO_SAMPLE_MAX`] records
    /// tell), or hold neither countries nor networks.
    pub fn add(&mut self, database: Vec<u8>) -> Result<(), Error> {
        let wrong = |error: MaxMindDbError| Error::BadDatabase {
            what: error.to_string(),
        };
        let reader = Reader::from_source(database).map_err(wrong)?;
        let (mut has_countries, mut has_networks) = (false, false);
        let networks = reader.networks(WithinOptions::default()).map_err(wrong)?;
        for found in networks.take(GEO_SAMPLE_MAX) {
            let shape = found.map_err(wrong)?.decode::<Shape<'_>>().map_err(wrong)?;
            let geo = shape.map(|shape| shape.geo()).unwrap_or_default();
            has_countries |= geo.country_code.or(geo.registered_country_code).is_some();
            has_networks |= geo.asn.is_some();
        }
        if !has_countries && !has_networks {
            let kind = &reader.metadata().database_type;
            return Err(Error::BadDatabase {
                what: format!("`{kind}` tells neither countries nor networks"),
            });
        }
        self.has_countries |= has_countries;
        self.has_networks |= has_networks;
        self.readers.push(reader);
        Ok(())
    }

    /// What the databases say of an address; behind NAT64, of the IPv4 address that it stands for.
    pub fn lookup(&self, addr: Addr) -> Geo<'_> {
        let ip = published(addr).to_ip();
        let mut geo = Geo::default();
        for reader in &self.readers {
            if ip.is_ipv6() && reader.metadata().ip_version == 4 {
                continue;
            }
            let Ok(found) = reader.lookup(ip) else {
                geo.unread += 1;
                continue;
            };
            match found.decode::<Shape<'_>>() {
                Ok(shape) => geo.fill(shape.map(|shape| shape.geo()).unwrap_or_default()),
                Err(_) => geo.unread += 1,
            }
        }
        geo
    }

    /// Whether any of them tells countries.
    pub fn has_countries(&self) -> bool {
        self.has_countries
    }

    /// Whether any of them tells autonomous systems.
    pub fn has_networks(&self) -> bool {
        self.has_networks
    }

    /// What the databases call themselves, and when they were built.
    pub fn sources(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.readers.iter().map(|reader| {
            let metadata = reader.metadata();
            let built_at = i64::try_from(metadata.build_epoch).unwrap_or(i64::MAX);
            (metadata.database_type.as_str(), Timestamp(built_at))
        })
    }
}

impl fmt::Debug for GeoDatabases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources()).finish()
    }
}

impl<'a> Geo<'a> {
    /// Takes what is missing from another database. A name is that of the code or number beside it, so it comes
    /// with it or not at all.
    fn fill(&mut self, other: Self) {
        if self.country_code.is_none() {
            self.country_code = other.country_code;
            self.country_name = other.country_name;
        } else if self.country_code == other.country_code {
            self.country_name = self.country_name.or(other.country_name);
        }
        self.registered_country_code = self
            .registered_country_code
            .or(other.registered_country_code);
        match (self.asn, other.asn) {
            (None, Some(_)) => (self.asn, self.org) = (other.asn, other.org),
            (own, number) if own == number => self.org = self.org.or(other.org),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
