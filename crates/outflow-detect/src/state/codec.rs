//! The bytes of a state: version, interfaces and counters in the order of their keys, and a checksum.
//!
//! Equal states have equal bytes, whatever the order in which they came to be.

pub(crate) mod wire;

use outflow_enrich::{AwsService, Interface, InterfaceKey, OwnAddress, PointKey, Via};

use super::attempts::{Attempt, Attempts, Place};
use super::by_slot::SlotKey;
use super::receipts::{Receipt, Receipts};
use super::{State, Uncounted};
use crate::Error;
use crate::counters::{Counters, Volume};
use crate::coverage::{Marks, Watch};
use crate::entities::Entity;
use crate::key::{Key, PairKey, Resolution, Role, Service, UnorientedKey};
use crate::queries;
use crate::rhythm::{Beat, Rhythm, Rhythms};
use crate::services::Resolving;
use crate::table::{SHARDS, Table};
use crate::time::{BUCKETS_PER_SLOT, Hour, Slot};
use wire::{Reader, Writer};

/// The layout of the bytes. A state of another version is refused: before 10 nothing was kept of what interfaces tried inside,
/// and a past without it would look like one in which they tried nothing.
const VERSION: u8 = 10;

impl State {
    /// The state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(VERSION);
        out.u32(self.entities.kept_from().0);
        out.u64(self.entities.len() as u64);
        let mut ranks = vec![0u32; self.entities.len()];
        for (rank, (number, entity)) in self.entities.sorted().enumerate() {
            ranks[number as usize] = u32::try_from(rank).unwrap_or(u32::MAX);
            write_entity(&mut out, entity);
        }
        write_table(&mut out, &self.pairs, &ranks, write_pair);
        write_table(&mut out, &self.unoriented, &ranks, write_unoriented);
        let aws = self.aws.sorted();
        out.u64(aws.len() as u64);
        for (group, service) in aws {
            out.addr(group);
            out.u8(service.code());
        }
        write_unpaired(&mut out, &self.unpaired);
        write_receipts(&mut out, &self.receipts, &ranks);
        write_attempts(&mut out, &self.attempts, &ranks);
        queries::codec::write(&mut out, &self.queries);
        out.finish()
    }

    /// The state that these bytes hold, with the limit of keys that it had.
    ///
    /// # Errors
    /// [`Error::State`] for bytes of another version, cut or changed bytes.
    pub fn decode(bytes: &[u8], keys_max: usize) -> Result<Self, Error> {
        let mut input = Reader::new(bytes)?;
        let version = input.u8()?;
        if version != VERSION {
            return Err(Error::State {
                reason: format!("version {version} is not {VERSION}"),
            });
        }
        let mut state = Self::with_keys_max(keys_max);
        state.entities.keep_from(Hour(input.u32()?));
        for _ in 0..input.u64()? {
            let entity = read_entity(&mut input)?;
            // Keys name interfaces by their place, which tells the shard too.
            let last = state.entities.sorted().next_back();
            if last.is_some_and(|(_, last)| last.key >= entity.key) {
                return Err(Error::State {
                    reason: "its interfaces are out of order".to_owned(),
                });
            }
            state.entities.insert(entity);
        }
        let shards: Vec<usize> = state
            .entities
            .sorted()
            .map(|(_, entity)| entity.shard())
            .collect();
        read_table(&mut input, &mut state.pairs, &shards, read_pair)?;
        read_table(&mut input, &mut state.unoriented, &shards, read_unoriented)?;
        for _ in 0..input.u64()? {
            let group = input.addr()?;
            state.aws.learn(group, AwsService::from_code(input.u8()?));
        }
        state.unpaired = read_unpaired(&mut input)?;
        read_receipts(&mut input, &mut state.receipts, &shards, keys_max)?;
        read_attempts(&mut input, &mut state.attempts, &shards, keys_max)?;
        state.queries = queries::codec::read(&mut input, keys_max)?;
        input.end()?;
        Ok(state)
    }
}

fn write_unpaired(out: &mut Writer, unpaired: &Uncounted) {
    let Uncounted {
        // What pairs have is never told twice here.
        repeated_bytes: _,
        received_bytes,
        inside_bytes,
        inside_payload_bytes,
        rejected_bytes,
    } = *unpaired;
    for bytes in [
        received_bytes,
        inside_bytes,
        inside_payload_bytes,
        rejected_bytes,
    ] {
        out.u64(bytes);
    }
}

fn read_unpaired(input: &mut Reader<'_>) -> Result<Uncounted, Error> {
    Ok(Uncounted {
        repeated_bytes: 0,
        received_bytes: input.u64()?,
        inside_bytes: input.u64()?,
        inside_payload_bytes: input.u64()?,
        rejected_bytes: input.u64()?,
    })
}

fn write_receipts(out: &mut Writer, receipts: &[Receipts], ranks: &[u32]) {
    let mut all: Vec<(u32, Slot, &Receipt)> = Vec::new();
    for shard in receipts {
        out.u32(shard.kept_from());
        let shard = shard.iter();
        all.extend(shard.map(|(key, own)| (ranks[key.entity as usize], key.slot, own)));
    }
    all.sort_unstable_by_key(|(entity, slot, _)| (*entity, *slot));
    out.u64(all.len() as u64);
    for (entity, slot, receipt) in all {
        out.u32(entity);
        out.u32(slot.0);
        out.u64(receipt.payload);
        let hashes = receipt.hashes();
        out.u8(u8::try_from(hashes.len()).unwrap_or(u8::MAX));
        for hash in hashes {
            out.u32(*hash);
        }
    }
}

fn read_receipts(
    input: &mut Reader<'_>,
    receipts: &mut [Receipts],
    shards: &[usize],
    keys_max: usize,
) -> Result<(), Error> {
    for shard in receipts.iter_mut() {
        shard.keep_from(input.u32()?);
    }
    for _ in 0..input.u64()? {
        let key = SlotKey {
            entity: input.u32()?,
            slot: Slot(input.u32()?),
        };
        let payload = input.u64()?;
        let hashes = (0..input.u8()?).map(|_| input.u32());
        let hashes = hashes.collect::<Result<Vec<u32>, Error>>()?;
        let shard = shards.get(key.entity as usize).copied();
        let receipt = Receipt::of_parts(payload, hashes);
        let Some((shard, receipt)) = shard.zip(receipt) else {
            return Err(Error::State {
                reason: format!("no interface {} got what is said", key.entity),
            });
        };
        receipts[shard].add(key, &receipt, keys_max);
    }
    Ok(())
}

fn write_attempts(out: &mut Writer, attempts: &[Attempts], ranks: &[u32]) {
    let mut all: Vec<(u32, Slot, &Attempt)> = Vec::new();
    for shard in attempts {
        out.u32(shard.kept_from());
        let shard = shard.iter();
        all.extend(shard.map(|(key, own)| (ranks[key.entity as usize], key.slot, own)));
    }
    all.sort_unstable_by_key(|(entity, slot, _)| (*entity, *slot));
    out.u64(all.len() as u64);
    for (entity, slot, own) in all {
        out.u32(entity);
        out.u32(slot.0);
        for count in [own.records, own.packets, own.bytes] {
            out.u64(count);
        }
        out.u32(own.span.0);
        out.u32(own.span.1);
        let places = own.places();
        out.u8(u8::try_from(places.len()).unwrap_or(u8::MAX));
        for place in places {
            out.addr(place.address);
            out.u32(u32::from(place.port));
        }
    }
}

fn read_attempts(
    input: &mut Reader<'_>,
    attempts: &mut [Attempts],
    shards: &[usize],
    keys_max: usize,
) -> Result<(), Error> {
    for shard in attempts.iter_mut() {
        shard.keep_from(input.u32()?);
    }
    for _ in 0..input.u64()? {
        let key = SlotKey {
            entity: input.u32()?,
            slot: Slot(input.u32()?),
        };
        let counts = [input.u64()?, input.u64()?, input.u64()?];
        let span = (input.u32()?, input.u32()?);
        let places = (0..input.u8()?).map(|_| {
            let address = input.addr()?;
            Ok(Place::new(address, read_port(input)?))
        });
        let places = places.collect::<Result<Vec<Place>, Error>>()?;
        let shard = shards.get(key.entity as usize).copied();
        let own = Attempt::of_parts(counts, span, places);
        let Some((shard, own)) = shard.zip(own) else {
            return Err(Error::State {
                reason: format!("no interface {} tried what is said", key.entity),
            });
        };
        attempts[shard].add(key, &own, keys_max);
    }
    Ok(())
}

fn write_key(out: &mut Writer, key: &PointKey) {
    out.text(&key.interface.account_id);
    out.text(&key.interface.interface_id);
    out.text(&key.flow_log);
    match key.via {
        Via::Own => out.u8(0),
        Via::Received(host) => {
            out.u8(1);
            out.addr(host);
        }
        Via::Forwarded(host) => {
            out.u8(2);
            out.addr(host);
        }
    }
}

fn read_key(input: &mut Reader<'_>) -> Result<PointKey, Error> {
    Ok(PointKey {
        interface: InterfaceKey {
            account_id: input.text()?,
            interface_id: input.text()?,
        },
        flow_log: input.text()?,
        via: match input.u8()? {
            0 => Via::Own,
            1 => Via::Received(input.addr()?),
            2 => Via::Forwarded(input.addr()?),
            other => {
                return Err(Error::State {
                    reason: format!("no point has form {other}"),
                });
            }
        },
    })
}

fn write_entity(out: &mut Writer, entity: &Entity) {
    let Interface {
        region,
        vpc_id,
        subnet_id,
        instance_id,
        group,
        intermediary,
        own_v4,
        own_v6,
        addresses,
        flags_since,
    } = &entity.interface;
    write_key(out, &entity.key);
    for attribute in [region, vpc_id, subnet_id, instance_id, group] {
        out.optional_text(attribute.as_deref());
    }
    out.u8(u8::from(*intermediary));
    for own in [own_v4, own_v6] {
        match *own {
            OwnAddress::Any => out.u8(0),
            OwnAddress::One(one) => {
                out.u8(1);
                out.addr(one);
            }
            OwnAddress::Two(a, b) => {
                out.u8(2);
                out.addr(a);
                out.addr(b);
            }
            OwnAddress::Several => out.u8(3),
        }
    }
    out.u64(addresses.len() as u64);
    for addr in addresses {
        out.addr(*addr);
    }
    out.optional_u32(*flags_since);
    let rows = &entity.watch.rows;
    for count in [rows.accepted, rows.rejected, rows.unmeasured, rows.overlong] {
        out.u64(count);
    }
    out.u64(entity.watch.hours.len() as u64);
    for (hour, marks) in &entity.watch.hours {
        out.u32(hour.0);
        for minutes in [marks.ok, marks.nodata, marks.skipdata] {
            out.u64(minutes);
        }
        out.u32(marks.skipdata_rows);
        out.u32(marks.late_rows);
        out.u64(marks.late_bytes);
    }
}

fn read_entity(input: &mut Reader<'_>) -> Result<Entity, Error> {
    let key = read_key(input)?;
    let mut interface = Interface {
        region: input.optional_text()?,
        vpc_id: input.optional_text()?,
        subnet_id: input.optional_text()?,
        instance_id: input.optional_text()?,
        group: input.optional_text()?,
        intermediary: input.flag()?,
        ..Interface::default()
    };
    interface.own_v4 = read_own(input)?;
    interface.own_v6 = read_own(input)?;
    for _ in 0..input.u64()? {
        interface.addresses.insert(input.addr()?);
    }
    interface.flags_since = input.optional_u32()?;
    let watch = read_watch(input)?;
    Ok(Entity {
        key,
        interface,
        watch,
    })
}

fn read_watch(input: &mut Reader<'_>) -> Result<Watch, Error> {
    let mut watch = Watch::default();
    let rows = &mut watch.rows;
    for count in [
        &mut rows.accepted,
        &mut rows.rejected,
        &mut rows.unmeasured,
        &mut rows.overlong,
    ] {
        *count = input.u64()?;
    }
    for _ in 0..input.u64()? {
        let hour = Hour(input.u32()?);
        let marks = Marks {
            ok: input.u64()?,
            nodata: input.u64()?,
            skipdata: input.u64()?,
            skipdata_rows: input.u32()?,
            late_rows: input.u32()?,
            late_bytes: input.u64()?,
        };
        watch.hours.insert(hour, marks);
    }
    Ok(watch)
}

fn read_own(input: &mut Reader<'_>) -> Result<OwnAddress, Error> {
    Ok(match input.u8()? {
        0 => OwnAddress::Any,
        1 => OwnAddress::One(input.addr()?),
        2 => OwnAddress::Two(input.addr()?, input.addr()?),
        3 => OwnAddress::Several,
        other => {
            return Err(Error::State {
                reason: format!("no own address has form {other}"),
            });
        }
    })
}

fn write_table<K: Key>(
    out: &mut Writer,
    table: &Table<K>,
    ranks: &[u32],
    write_key: impl Fn(&mut Writer, &K),
) {
    for level in table.levels() {
        out.u8(level as u8);
    }
    let mut entries: Vec<(K, usize, &Counters)> = Vec::new();
    for shard in 0..SHARDS {
        let ranked = |(key, counters, _): (&K, _, Resolution)| {
            let key = key.with_entity(ranks[key.entity() as usize]);
            (key, shard, counters)
        };
        entries.extend(table.shard(shard).map(ranked));
    }
    entries.sort_unstable_by_key(|(key, ..)| *key);
    out.u64(entries.len() as u64);
    for (key, shard, counters) in entries {
        out.u32(key.entity());
        write_key(out, &key);
        write_counters(out, counters);
        write_rhythm(out, &table.rhythm(shard, counters));
    }
}

fn read_table<K: Key>(
    input: &mut Reader<'_>,
    table: &mut Table<K>,
    shards: &[usize],
    read_key: impl Fn(&mut Reader<'_>, u32) -> Result<K, Error>,
) -> Result<(), Error> {
    for shard in 0..SHARDS {
        let number = input.u8()?;
        let level = Resolution::ALL.get(usize::from(number)).copied();
        let level = level.ok_or_else(|| Error::State {
            reason: format!("no resolution {number}"),
        })?;
        table.raise(shard, level);
    }
    for _ in 0..input.u64()? {
        let entity = input.u32()?;
        let key = read_key(input, entity)?;
        let mut rhythms = Rhythms::default();
        let mut counters = read_counters(input)?;
        read_rhythm(input, &mut counters, &mut rhythms)?;
        let Some(shard) = shards.get(entity as usize) else {
            return Err(Error::State {
                reason: format!("no interface has number {entity}"),
            });
        };
        table.add(*shard, key, &counters, &rhythms);
    }
    Ok(())
}

fn write_service(out: &mut Writer, service: Service) {
    out.u8(service.protocol);
    out.u8(service.role as u8);
    out.u8(u8::from(service.external));
    out.u8(service.resolving.map_or(0, |how| how as u8));
    out.u32(u32::from(service.port));
}

fn read_service(input: &mut Reader<'_>) -> Result<Service, Error> {
    let wrong = |what: &str, number: u8| Error::State {
        reason: format!("no {what} has number {number}"),
    };
    let protocol = input.u8()?;
    let role = match input.u8()? {
        0 => Role::Client,
        1 => Role::Server,
        2 => Role::LikelyServer,
        other => return Err(wrong("role", other)),
    };
    let external = input.flag()?;
    let resolving = match input.u8()? {
        0 => None,
        1 => Some(Resolving::Dns),
        2 => Some(Resolving::DnsOverTls),
        3 => Some(Resolving::DnsOverHttps),
        other => return Err(wrong("way to resolve names", other)),
    };
    Ok(Service {
        protocol,
        role,
        external,
        resolving,
        port: read_port(input)?,
    })
}

fn read_port(input: &mut Reader<'_>) -> Result<u16, Error> {
    let port = input.u32()?;
    u16::try_from(port).map_err(|_| Error::State {
        reason: format!("no port {port}"),
    })
}

fn write_pair(out: &mut Writer, key: &PairKey) {
    out.addr(key.remote);
    write_service(out, key.service);
    out.u32(key.slot.0);
}

fn read_pair(input: &mut Reader<'_>, entity: u32) -> Result<PairKey, Error> {
    let (remote, service) = (input.addr()?, read_service(input)?);
    Ok(PairKey {
        entity,
        remote,
        service,
        slot: Slot(input.u32()?),
    })
}

fn write_unoriented(out: &mut Writer, key: &UnorientedKey) {
    out.addr(key.first);
    out.addr(key.second);
    write_service(out, key.service);
    write_service(out, key.reverse);
    out.u32(key.slot.0);
}

fn read_unoriented(input: &mut Reader<'_>, entity: u32) -> Result<UnorientedKey, Error> {
    let (first, second) = (input.addr()?, input.addr()?);
    let (service, reverse) = (read_service(input)?, read_service(input)?);
    Ok(UnorientedKey {
        entity,
        first,
        second,
        service,
        reverse,
        slot: Slot(input.u32()?),
    })
}

fn write_counters(out: &mut Writer, counters: &Counters) {
    for volume in [counters.up(), counters.down()] {
        out.u64(volume.bytes);
        out.u64(volume.payload);
        out.u64(volume.packets);
    }
    out.u32(counters.flows);
    out.u32(counters.first);
    out.u32(counters.last);
    out.u64(counters.marks());
}

/// The beats of a slot, with their buckets.
fn write_rhythm(out: &mut Writer, rhythm: &Rhythm) {
    let beats = (0u8..).zip(rhythm);
    let beats = beats.filter(|(_, beat)| **beat != Beat::default());
    out.u8(u8::try_from(beats.clone().count()).unwrap_or(u8::MAX));
    for (bucket, beat) in beats {
        out.u8(bucket);
        out.u32(beat.bits());
    }
}

fn read_rhythm(
    input: &mut Reader<'_>,
    counters: &mut Counters,
    among: &mut Rhythms,
) -> Result<(), Error> {
    for _ in 0..input.u8()? {
        let (bucket, beat) = (input.u8()?, Beat::from_bits(input.u32()?));
        if u32::from(bucket) >= BUCKETS_PER_SLOT || beat == Beat::default() {
            return Err(Error::State {
                reason: format!("no beat is in bucket {bucket}"),
            });
        }
        counters.add_beat(among, usize::from(bucket), beat);
    }
    Ok(())
}

fn read_counters(input: &mut Reader<'_>) -> Result<Counters, Error> {
    let mut volume = || -> Result<Volume, Error> {
        Ok(Volume {
            bytes: input.u64()?,
            payload: input.u64()?,
            packets: input.u64()?,
        })
    };
    let (up, down) = (volume()?, volume()?);
    let mut counters = Counters::default().with_volumes(up, down);
    counters.flows = input.u32()?;
    counters.first = input.u32()?;
    counters.last = input.u32()?;
    counters = counters.with_marks(input.u64()?);
    Ok(counters)
}

#[cfg(test)]
mod tests;
