//! The bytes of what was asked: clients in their order, then the cells of each zone in the order of zones.

use super::cell::{Cell, Counts};
use super::names::{Item, Names, SAMPLE};
use super::table::{CellKey, ClientKey, Detail, NO_ZONE, Queries, hash_of, shard_of};
use crate::Error;
use crate::state::codec::wire::{Reader, Writer};
use crate::table::SHARDS;
use crate::time::Slot;

fn wrong(what: impl Into<String>) -> Error {
    Error::State {
        reason: what.into(),
    }
}

pub(crate) fn write(out: &mut Writer, queries: &Queries) {
    for shard in &queries.shards {
        out.u8(shard.level as u8);
    }
    let mut order: Vec<u32> = (0..).take(queries.clients.len()).collect();
    order.sort_by_key(|number| queries.clients.get(*number));
    let mut ranks = vec![0; order.len()];
    out.u64(order.len() as u64);
    for (rank, number) in (0..).zip(order) {
        ranks[number as usize] = rank;
        let key = queries.clients.get(number);
        for text in [&key.account_id, &key.region, &key.vpc_id, &key.instance] {
            out.text(text);
        }
        out.u8(u8::from(key.srcaddr.is_some()));
        out.addr(key.srcaddr.unwrap_or_default());
    }
    for shard in &queries.shards {
        let mut zones: Vec<u32> = (0..).take(shard.zones.len()).collect();
        zones.sort_by_key(|zone| &shard.zones[*zone as usize]);
        let mut places = vec![0u32; zones.len()];
        for (place, zone) in (0..).zip(&zones) {
            places[*zone as usize] = place;
        }
        out.u64(zones.len() as u64);
        for zone in zones {
            let zone = &shard.zones[zone as usize];
            out.text(&zone.domain);
            out.u8(u8::from(zone.is_expansion));
        }
        let place = |zone: u32| places.get(zone as usize).copied().unwrap_or(NO_ZONE);
        let mut cells: Vec<_> = (shard.cells.iter())
            .map(|(key, cell)| (place(key.zone), ranks[key.client as usize], key.slot, cell))
            .collect();
        cells.sort_unstable_by_key(|(zone, client, slot, _)| (*zone, *client, *slot));
        out.u64(cells.len() as u64);
        for (zone, client, slot, cell) in cells {
            out.u32(zone);
            out.u32(client);
            out.u32(slot.0);
            write_cell(out, cell);
        }
    }
}

pub(crate) fn read(input: &mut Reader<'_>, cells_max: usize) -> Result<Queries, Error> {
    let mut queries = Queries::new(cells_max);
    for shard in &mut queries.shards {
        let level = usize::from(input.u8()?);
        let level = Detail::ALL.get(level).copied();
        shard.raise(level.ok_or_else(|| wrong("no detail of queries has this number"))?);
    }
    let mut last: Option<ClientKey> = None;
    for _ in 0..input.u64()? {
        let mut text = || input.text().map(String::into_boxed_str);
        let (account_id, region, vpc_id, instance) = (text()?, text()?, text()?, text()?);
        let (has_addr, addr) = (input.flag()?, input.addr()?);
        let key = ClientKey {
            account_id,
            region,
            vpc_id,
            instance,
            srcaddr: has_addr.then_some(addr),
        };
        if last.as_ref().is_some_and(|last| *last >= key) {
            return Err(wrong("its clients are out of order"));
        }
        queries.clients.number(&key);
        last = Some(key);
    }
    let clients = queries.clients.len();
    for at in 0..SHARDS {
        let shard = &mut queries.shards[at];
        for expected in 0..input.u64()? {
            let (domain, is_expansion) = (input.text()?, input.flag()?);
            let hash = hash_of(&domain, is_expansion);
            if shard_of(hash) != at
                || u64::from(shard.zone(hash, &domain, is_expansion)) != expected
            {
                return Err(wrong(format!("`{domain}` is not where it belongs")));
            }
        }
        for _ in 0..input.u64()? {
            let key = CellKey {
                zone: input.u32()?,
                client: input.u32()?,
                slot: Slot(input.u32()?),
            };
            let has_zone = shard.level < Detail::Clients;
            let zone_is_there = (key.zone as usize) < shard.zones.len();
            if key.client as usize >= clients
                || zone_is_there != has_zone
                || !has_zone && key.zone != NO_ZONE
            {
                return Err(wrong("queries are of no client or zone"));
            }
            let cell = read_cell(input)?;
            shard.add_cell(key, cell, cells_max);
        }
    }
    Ok(queries)
}

fn write_cell(out: &mut Writer, cell: &Cell) {
    let Counts {
        queries,
        millibits,
        name_bytes,
        below_bytes,
        answer_bytes,
        carried_bytes,
        odd,
        nxdomain,
        first,
        last,
    } = cell.counts;
    for count in [
        queries,
        millibits,
        name_bytes,
        below_bytes,
        answer_bytes,
        carried_bytes,
        odd,
        nxdomain,
    ] {
        out.u64(count);
    }
    out.u32(first);
    out.u32(last);
    out.u8(u8::from(cell.names.is_sample()));
    out.u64(cell.names.items().len() as u64);
    for item in cell.names.items() {
        out.u64(item.hash);
        out.u64(item.packed);
    }
}

fn read_cell(input: &mut Reader<'_>) -> Result<Cell, Error> {
    let mut counts = Counts::default();
    for count in [
        &mut counts.queries,
        &mut counts.millibits,
        &mut counts.name_bytes,
        &mut counts.below_bytes,
        &mut counts.answer_bytes,
        &mut counts.carried_bytes,
        &mut counts.odd,
        &mut counts.nxdomain,
    ] {
        *count = input.u64()?;
    }
    counts.first = input.u32()?;
    counts.last = input.u32()?;
    let is_sample = input.flag()?;
    let mut items: Vec<Item> = Vec::new();
    for _ in 0..input.u64()? {
        let item = Item {
            hash: input.u64()?,
            packed: input.u64()?,
        };
        if items.last().is_some_and(|last| last.hash >= item.hash) {
            return Err(wrong("names are out of order"));
        }
        items.push(item);
    }
    if is_sample && items.len() != SAMPLE {
        return Err(wrong("a sample of names has another size"));
    }
    Ok(Cell {
        counts,
        names: Names::of_items(items, is_sample),
    })
}
