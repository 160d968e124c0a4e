use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;
use bytes::Bytes;
use outflow_enrich::{Enricher, Flow, Networks, Origin, Via};
use outflow_record::{Addr, Decoder, FlowBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::*;
use crate::flows::{FlowRows, Hours, Remote, Seen};

/// Rows of two interfaces at mixed times, with what `-` stands for, and more different addresses than a page has rows.
fn text(rows: u32) -> String {
    let mut text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                    action log-status flow-direction\n"
        .to_owned();
    for row in 0..rows {
        let (a, b) = (row / 250 % 250, row % 250);
        let bytes = if row % 7 == 0 {
            "-".to_owned()
        } else {
            (u64::from(row) << 30).to_string()
        };
        let port = row * 7 % 65_536;
        let action = if row % 13 == 0 { "REJECT" } else { "ACCEPT" };
        let start = 1_790_812_800 + (rows - row) / 3;
        text += &format!(
            "5 123456789012 eni-{} 10.0.{a}.{b} 203.0.113.9 {port} 443 6 3 {bytes} {start} {start} {action} OK egress\n",
            row % 2
        );
    }
    text
}

fn batches_of(text: &str) -> Vec<FlowBatch> {
    let mut decoder = Decoder::new(None);
    let mut read = 0;
    let mut batches = Vec::new();
    while read < text.len() {
        let taken = decoder.decode(&text.as_bytes()[read..]).unwrap();
        read += taken;
        if taken == 0 {
            batches.extend(decoder.flush());
        }
    }
    batches.extend(decoder.flush());
    batches.into_iter().map(|of| of.flows).collect()
}

fn batch_of(text: &str) -> FlowBatch {
    let batches: Vec<RecordBatch> = batches_of(text)
        .iter()
        .map(|of| of.record_batch().clone())
        .collect();
    let all = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap();
    FlowBatch::try_new(all).unwrap()
}

fn written(records: &FlowBatch) -> Bytes {
    both(records).0
}

/// A file of `flows`, and the one of `profiles` beside it.
fn both(records: &FlowBatch) -> (Bytes, Bytes) {
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(records, &Origin::default());
    let rows: Vec<u32> = (0..u32::try_from(records.num_rows()).unwrap()).collect();
    let zeros = vec![0; rows.len()];
    let mut into = FlowRows::default();
    into.append(
        &Seen {
            records,
            flows: batch.flows,
            unmeasured_rows: batch.unmeasured_rows,
            vias: &vec![Via::Own; rows.len()],
            remote_of: &zeros,
            remotes: &[Remote::default()],
            workload_of: &zeros,
            workloads: &[String::new()],
            source_id: "00",
            first_row: 100,
            flow_log_id: None,
        },
        &rows,
    );
    let file = FlowFile::flows(&SpareMemory::default()).unwrap();
    let (flows, profiles, _) = rolled_up(&into, file, &mut Scratch::new().unwrap());
    (flows, profiles)
}

/// Writes rows into a file of `flows`; that, the one of `profiles` beside it, and `hours`.
fn rolled_up(
    rows: &FlowRows,
    mut file: FlowFile,
    scratch: &mut Scratch,
) -> (Bytes, Bytes, RecordBatch) {
    let mut profiles = FlowFile::profiles(&SpareMemory::default()).unwrap();
    let mut hours = Hours::default();
    let up = RollUps {
        profiles: Some(&mut profiles),
        hours: Some(&mut hours),
    };
    file.write(rows, up, scratch).unwrap();
    let bytes = |file: FlowFile| joined(file.finish().unwrap().bytes);
    (bytes(file), bytes(profiles), hours.take().unwrap())
}

fn joined(pieces: Pieces) -> Bytes {
    pieces.into_bytes().flatten().collect()
}

fn read(bytes: &Bytes) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap()
}

#[test]
fn rows_are_read_as_they_were_in_the_order_of_their_table() {
    let records = batch_of(&text(50_000));
    let batch = read(&written(&records));
    assert_eq!(batch.num_rows(), 50_000);
    let column = |name: &str| Arc::clone(batch.column_by_name(name).unwrap());
    let start = column("start");
    let start = start.as_primitive::<TimestampMicrosecondType>();
    let interface = column("interface_id");
    let interface = interface.as_string::<i32>();
    let (bytes, row) = (column("bytes"), column("source_row"));
    let (bytes, row) = (
        bytes.as_primitive::<Int64Type>(),
        row.as_primitive::<Int64Type>(),
    );
    let (action, direction) = (column("action"), column("direction"));
    let (action, direction) = (action.as_string::<i32>(), direction.as_string::<i32>());
    let (source, local) = (column("srcaddr"), column("local_addr"));
    let (source, local) = (source.as_string::<i32>(), local.as_string::<i32>());
    let port = column("srcport");
    let port = port.as_primitive::<Int32Type>();
    for at in 0..batch.num_rows() {
        if at > 0 {
            let key = |at: usize| {
                let hour = start.value(at) / 3_600_000_000;
                let direction = direction.is_valid(at).then(|| direction.value(at));
                (
                    action.value(at),
                    hour,
                    interface.value(at),
                    direction,
                    start.value(at),
                    row.value(at),
                )
            };
            assert!(key(at - 1) < key(at), "row {at}");
        }
        let of = u32::try_from(row.value(at) - 100).unwrap();
        assert_eq!(
            source.value(at),
            format!("10.0.{}.{}", of / 250 % 250, of % 250)
        );
        assert_eq!(port.value(at), i32::try_from(of * 7 % 65_536).unwrap());
        assert_eq!(bytes.is_null(at), of % 7 == 0);
        assert_eq!(
            local.is_null(at),
            of % 7 == 0,
            "without bytes there is no flow"
        );
        if of % 7 > 0 {
            assert_eq!(bytes.value(at), i64::from(of) << 30);
            assert_eq!(local.value(at), source.value(at));
        }
    }
    assert_eq!(
        column("vpc_id").null_count(),
        50_000,
        "what the format lacks is null"
    );
}

#[test]
fn pages_and_filters_tell_what_is_in_them() {
    let bytes = written(&batch_of(&text(50_000)));
    let properties = ReaderProperties::builder()
        .set_read_bloom_filter(true)
        .build();
    let options = ReadOptionsBuilder::new()
        .with_reader_properties(properties)
        .with_page_index()
        .build();
    let reader = SerializedFileReader::new_with_options(bytes, options).unwrap();
    let metadata = reader.metadata();
    let at = |name: &str| {
        let columns = metadata.row_group(0).columns();
        columns
            .iter()
            .position(|of| of.column_path().string() == name)
            .unwrap()
    };
    assert_eq!(
        metadata.row_group(0).sorting_columns(),
        None,
        "no order by columns alone holds"
    );
    let filter = |name: &str, text: &str| {
        let group = reader.get_row_group(0).unwrap();
        group.get_column_bloom_filter(at(name)).unwrap().check(text)
    };
    assert!(filter("srcaddr", "10.0.3.4") && filter("local_addr", "10.0.3.4"));
    assert!(!filter("srcaddr", "10.7.3.4"));
    let pages = &metadata.offset_index().unwrap()[0][at("srcaddr")].page_locations;
    assert_eq!(pages.len(), 3);
    assert_eq!(pages[1].first_row_index, 20_000);
    let statistics = metadata
        .row_group(0)
        .column(at("interface_id"))
        .statistics()
        .unwrap();
    assert_eq!(statistics.min_bytes_opt(), Some(&b"eni-0"[..]));
    assert_eq!(statistics.max_bytes_opt(), Some(&b"eni-1"[..]));
    assert_eq!(statistics.null_count_opt(), Some(0));
}

#[test]
fn what_was_refused_has_row_groups_of_its_own_if_it_is_not_little() {
    let groups = |rows: u32| -> Vec<(i64, Vec<u8>)> {
        let reader = SerializedFileReader::new(written(&batch_of(&text(rows)))).unwrap();
        let groups = reader.metadata().row_groups().iter();
        groups
            .map(|group| {
                let action = group.columns().iter();
                let action = action.filter(|of| of.column_path().string() == "action");
                let least = action.last().unwrap().statistics().unwrap();
                (group.num_rows(), least.min_bytes_opt().unwrap().to_owned())
            })
            .collect()
    };
    assert_eq!(groups(50_000), [(50_000, b"ACCEPT".to_vec())]);
    let apart = [(120_000, b"ACCEPT".to_vec()), (10_000, b"REJECT".to_vec())];
    assert_eq!(groups(130_000), apart);
}

/// A cell as a text; null is `-`.
fn cell(batch: &RecordBatch, name: &str, row: usize) -> String {
    let column = batch.column_by_name(name).unwrap();
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        _ => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            times.value(row).to_string()
        }
    }
}

/// Sums of flows, packets, bytes and payload, and the first and last instant, by all that profiles tell apart.
type Sums = BTreeMap<Vec<String>, [i64; 6]>;

const SAME: [&str; 13] = [
    "account_id",
    "interface_id",
    "vpc_id",
    "workload",
    "flow_log_id",
    "direction",
    "scope",
    "initiator",
    "action",
    "counted",
    "protocol",
    "remote_asn",
    "remote_service",
];

fn long(batch: &RecordBatch, name: &str, row: usize) -> i64 {
    cell(batch, name, row).parse().unwrap()
}

/// What a row of `flows` is summed under.
fn key_of(flows: &RecordBatch, row: usize) -> Vec<String> {
    let start = long(flows, "start", row);
    let mut key = vec![(start - start.rem_euclid(600_000_000)).to_string()];
    key.extend(SAME.map(|name| cell(flows, name, row)));
    let port = |side: &str| long(flows, side, row);
    let port = match (
        &*cell(flows, "protocol", row),
        &*cell(flows, "initiator", row),
    ) {
        ("6" | "17", "local") => port("remote_port"),
        ("6" | "17", "remote") => port("local_port"),
        ("6" | "17", _) => port("remote_port").min(port("local_port")),
        _ => i64::MAX,
    };
    let has_port = port < 32_768;
    key.push(if has_port {
        port.to_string()
    } else {
        "-".to_owned()
    });
    let name = cell(flows, "destination", row);
    key.push(match &*cell(flows, "scope", row) {
        "external" if name == "-" => {
            let addr: Addr = cell(flows, "remote_addr", row).parse().unwrap();
            format!("{}/{}", addr.group(), addr.group_len())
        }
        "external" => name,
        _ => "-".to_owned(),
    });
    key
}

/// Asserts that profiles are in their order what rows of flows add up to, each once; how many there are.
fn assert_rolled_up(flows: &RecordBatch, profiles: &RecordBatch) -> usize {
    let mut expected = Sums::new();
    for row in (0..flows.num_rows()).filter(|row| cell(flows, "scope", *row) != "-") {
        let none = [0, 0, 0, 0, i64::MAX, i64::MIN];
        let sums = expected.entry(key_of(flows, row)).or_insert(none);
        sums[0] += 1;
        for (at, name) in (1..).zip(["packets", "bytes", "payload_bytes"]) {
            sums[at] += long(flows, name, row);
        }
        sums[4] = sums[4].min(long(flows, "start", row));
        sums[5] = sums[5].max(long(flows, "end", row));
    }
    let mut found = Sums::new();
    let mut last = Default::default();
    for row in 0..profiles.num_rows() {
        let [action, interface] = ["action", "interface_id"].map(|of| cell(profiles, of, row));
        let own = (
            action,
            long(profiles, "bucket", row) / 3_600_000_000,
            interface,
        );
        assert!(last <= own, "row {row} stands in its order");
        last = own;
        let mut key = vec![cell(profiles, "bucket", row)];
        key.extend(SAME.map(|name| cell(profiles, name, row)));
        key.extend(["port", "destination"].map(|name| cell(profiles, name, row)));
        let sums = [
            "flows",
            "packets",
            "bytes",
            "payload_bytes",
            "first",
            "last",
        ];
        let before = found.insert(key, sums.map(|name| long(profiles, name, row)));
        assert_eq!(before, None, "each stands once");
    }
    assert_eq!(found, expected);
    found.len()
}

#[test]
fn profiles_are_what_rows_of_flows_add_up_to() {
    let mut lines = text(20_000);
    for row in 0..4_000 {
        let (a, b, start) = (row % 40, row % 3, 1_790_812_800 + row);
        let protocol = [6, 17, 1][row % 3];
        let (flags, action) = (row % 5, ["ACCEPT", "REJECT"][usize::from(row % 9 == 0)]);
        lines += &format!(
            "5 123456789012 eni-{b} 198.51.{a}.7 10.0.0.{b} {} {} {protocol} 3 900 {start} {start} {action} OK ingress\n",
            40_000 + row,
            [443, 50_000][flags % 2],
        );
    }
    let (flows, profiles) = both(&batch_of(&lines));
    let (flows, profiles) = (read(&flows), read(&profiles));
    let count = assert_rolled_up(&flows, &profiles);
    assert!(count > 300 && count < 4_000, "{count}");
}

/// Appends each of these rows in two flow logs, turn by turn, with workloads and other sides that change.
fn appended_in_turns(records: &FlowBatch) -> FlowRows {
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(records, &Origin::default());
    let rows = 0..u32::try_from(records.num_rows()).unwrap();
    let remote = |asn, destination: Option<&str>| Remote {
        asn: Some(asn),
        destination: destination.map(str::to_owned),
        ..Remote::default()
    };
    let remotes = [
        Remote::default(),
        remote(64_496, None),
        remote(64_497, Some("a partner")),
    ];
    let via = |row: u32| match row % 5 {
        0 => Via::Received(Addr::from_v4([10, 0, 0, 9])),
        _ => Via::Own,
    };
    let mut into = FlowRows::default();
    for row in rows.clone() {
        for flow_log in ["fl-1", "fl-2"] {
            into.append(
                &Seen {
                    records,
                    flows: batch.flows,
                    unmeasured_rows: batch.unmeasured_rows,
                    vias: &rows.clone().map(via).collect::<Vec<_>>(),
                    remote_of: &rows.clone().map(|row| row % 3).collect::<Vec<_>>(),
                    remotes: &remotes,
                    workload_of: &rows.clone().map(|row| row / 7 % 2).collect::<Vec<_>>(),
                    workloads: &[String::new(), "orders".to_owned()],
                    source_id: "00",
                    first_row: 0,
                    flow_log_id: Some(flow_log),
                },
                &[row],
            );
        }
    }
    into
}

#[test]
fn rows_that_alternate_are_rolled_up_as_those_that_do_not() {
    let mut lines = text(0);
    for row in 0..600 {
        let start = 1_790_812_800 + row / 4;
        let (local, remote) = match row % 4 {
            0 => ("2001:db8:1::7".to_owned(), format!("2600:{}::1", row % 5)),
            1 => ("10.0.0.7".to_owned(), "10.0.0.8".to_owned()),
            _ => ("10.0.0.7".to_owned(), format!("198.51.{}.7", row % 5)),
        };
        let bytes = if row % 11 == 0 { "-" } else { "900" };
        lines += &format!(
            "5 123456789012 eni-1 {local} {remote} 40000 443 6 3 {bytes} {start} {start} ACCEPT OK egress\n"
        );
    }
    let rows = appended_in_turns(&batch_of(&lines));
    let memory = SpareMemory::default();
    let mut scratch = Scratch::new().unwrap();
    let file = FlowFile::flows(&memory).unwrap();
    let (flows, profiles, hours) = rolled_up(&rows, file, &mut scratch);
    let count = assert_rolled_up(&read(&flows), &read(&profiles));
    assert!(count < 200, "{count}");
    // A lake of the moment, in which nobody asks for the rows themselves, with memory that served before.
    let none = FlowFile::flows_with(&BTreeSet::new(), &memory).unwrap();
    let (none, alone, again) = rolled_up(&rows, none, &mut scratch);
    assert_eq!(read(&alone), read(&profiles));
    assert_eq!(again, hours);
    let none = read(&none);
    assert_eq!((none.num_rows(), none.num_columns()), (1_200, 1));
}

#[test]
fn profiles_beyond_what_is_held_at_once_are_each_there_once() {
    let mut lines = text(0);
    for row in 0..210_000 {
        let (a, b, c) = (11 + row / 65_536, row / 256 % 256, row % 256);
        let (start, action) = (1_790_812_800 + row / 500, ["ACCEPT", "REJECT"][row % 2]);
        lines += &format!(
            "5 123456789012 eni-1 10.0.0.7 {a}.{b}.{c}.7 40000 443 6 3 900 {start} {start} {action} OK egress\n"
        );
    }
    let (_, profiles) = both(&batch_of(&lines));
    let reader = SerializedFileReader::new(profiles.clone()).unwrap();
    assert!(reader.metadata().num_row_groups() > 1);
    let profiles = read(&profiles);
    let destinations = profiles.column_by_name("destination").unwrap();
    let destinations: BTreeSet<&str> = destinations.as_string::<i32>().iter().flatten().collect();
    assert_eq!(
        (profiles.num_rows(), destinations.len()),
        (210_000, 210_000)
    );
    let flows = profiles.column_by_name("flows").unwrap();
    let flows = flows.as_primitive::<Int64Type>().values().iter();
    assert_eq!(flows.sum::<i64>(), 210_000);
}

/// Lines of interfaces that say something of themselves, some of it missing, with or without what a longer format has.
fn of_interfaces(lines: u32, is_long: bool, seed: u32) -> Vec<FlowBatch> {
    let mut text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                    action log-status"
        .to_owned();
    if is_long {
        text += " vpc-id subnet-id tcp-flags type flow-direction traffic-path pkt-dst-aws-service";
    }
    text.push('\n');
    for line in 0..lines {
        let at = line.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7;
        let (eni, peer, start) = (at % 300, at % 17, 1_790_812_800 + line);
        let account = ["123456789012", "-"][usize::from(eni % 50 == 0)];
        let action = ["ACCEPT", "REJECT"][usize::from(at % 9 == 0)];
        text += &format!(
            "5 {account} eni-{eni} 10.0.{}.7 203.0.{peer}.9 40000 443 6 3 900 {start} {start} {action} OK",
            eni % 200
        );
        if is_long {
            let vpc = ["vpc-1", "vpc-2", "-"][at as usize % 3];
            let flags = ["2", "18", "-"][at as usize % 3];
            let (direction, path) = [("egress", "8"), ("ingress", "-")][at as usize % 2];
            let service = ["S3", "-", "EC2"][at as usize % 3];
            text += &format!(" {vpc} subnet-{eni} {flags} IPv4 {direction} {path} {service}");
        }
        text.push('\n');
    }
    batches_of(&text)
}

/// Appends what is `wanted` of these batches; what comes of it in all three tables.
fn tables_of(
    into: &mut FlowRows,
    batches: &[FlowBatch],
    wanted: impl Fn(u32) -> bool,
) -> [RecordBatch; 3] {
    into.clear();
    for (number, records) in batches.iter().enumerate() {
        let mut enricher = Enricher::new(Networks::default());
        let batch = enricher.enrich(records, &Origin::default());
        let rows = 0..u32::try_from(records.num_rows()).unwrap();
        let thirds: Vec<u32> = rows.clone().map(|row| row % 3).collect();
        let remote = |country: &str| Remote {
            country: Some(country.to_owned()),
            ..Remote::default()
        };
        into.append(
            &Seen {
                records,
                flows: batch.flows,
                unmeasured_rows: batch.unmeasured_rows,
                vias: &vec![Via::Own; thirds.len()],
                remote_of: &thirds,
                // The same is known of two of them.
                remotes: &[Remote::default(), remote("DE"), remote("DE")],
                workload_of: &thirds,
                workloads: &["a", "b", ""].map(str::to_owned),
                source_id: &format!("{number:02}"),
                first_row: 0,
                flow_log_id: (number % 2 == 0).then_some("fl-1"),
            },
            &rows.filter(|row| wanted(*row)).collect::<Vec<_>>(),
        );
    }
    let file = FlowFile::flows(&SpareMemory::default()).unwrap();
    let (flows, profiles, hours) = rolled_up(into, file, &mut Scratch::new().unwrap());
    [read(&flows), read(&profiles), hours]
}

#[test]
fn what_rows_share_is_what_each_of_them_has() {
    let long = of_interfaces(5_000, true, 1);
    let other_object = of_interfaces(3_000, true, 2);
    let short = of_interfaces(3_000, false, 3);
    assert!(long.len() > 1 && long.iter().all(|of| !of.combined().is_empty()));
    // Batches of one decoder, of two, of another format in their midst, and back again.
    let cases: [&[&[FlowBatch]]; 4] = [
        &[&long],
        &[&long, &other_object],
        &[&long, &short, &other_object],
        &[&short],
    ];
    let mut used = FlowRows::default();
    for (case, of) in cases.iter().enumerate() {
        let batches = of.concat();
        // The same records, of which nobody says what they share.
        let plain = |of: &FlowBatch| FlowBatch::try_new(of.record_batch().clone()).unwrap();
        let plain: Vec<FlowBatch> = batches.iter().map(plain).collect();
        for step in [1, 3] {
            let wanted = |row: u32| row.is_multiple_of(step);
            let expected = tables_of(&mut FlowRows::default(), &plain, wanted);
            let tables = tables_of(&mut used, &batches, wanted);
            assert!(tables == expected, "case {case}, every {step} rows");
        }
        if case == 0 {
            let [flows, ..] = tables_of(&mut used, &batches, |_| true);
            let nulls = |name: &str| flows.column_by_name(name).unwrap().null_count();
            let all = flows.num_rows();
            for some in ["account_id", "vpc_id", "tcp_flags", "remote_country"] {
                assert!(nulls(some) > 0 && nulls(some) < all, "{some}");
            }
        }
    }
}

/// Lines of hosts and of gateways, which pass on what others sent, as they are and translated; of several protocols, and some without
/// ports, protocol or packets, of IPv6, with fewer bytes than their headers take, or without what a flow needs.
fn with_packets(lines: u32) -> Vec<FlowBatch> {
    let mut text = "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                    log-status instance-id pkt-srcaddr pkt-dstaddr flow-direction\n"
        .to_owned();
    for line in 0..lines {
        let at = line.wrapping_mul(2_654_435_761) >> 9;
        let (host, peer) = match at % 11 {
            0 => (format!("2001:db8::{}", at % 5), "2600:1f18::9".to_owned()),
            _ => (
                format!("10.0.0.{}", at % 40),
                format!("203.0.113.{}", at % 7),
            ),
        };
        let (ports, start) = match at % 13 {
            0 => ("- -", "-"),
            1 => ("- 443", "1790812800"),
            _ => ("40000 443", "1790812801"),
        };
        let gateway = ["i-1", "-"][usize::from(at % 3 == 0)];
        let (source, packet) = match at % 5 {
            // Translated: the packet is another host's.
            0 => ("10.0.9.9".to_owned(), host),
            1 => (host, "-".to_owned()),
            _ => (host.clone(), host),
        };
        let counts = [
            "6 3 900",
            "17 3 900",
            "1 - 900",
            "- 3 60",
            "6 9 60",
            "50 1 5000000000",
        ];
        let counts = counts[at as usize % 17 % counts.len()];
        let row = match at % 2 {
            0 => format!(
                "{source} {peer} {ports} {counts} {start} {start} ACCEPT OK {gateway} {packet} {peer} egress"
            ),
            _ => format!(
                "{peer} {source} {ports} {counts} {start} {start} ACCEPT OK {gateway} {peer} {packet} ingress"
            ),
        };
        text += &format!("5 eni-{} {row}\n", at % 9);
    }
    batches_of(&text)
}

/// What follows from other columns.
const FOLLOWING: [&str; 5] = [
    "local_addr",
    "remote_addr",
    "local_port",
    "remote_port",
    "payload_bytes",
];

/// The tables of records, of which the flows are changed, by number of their batch; and [`FOLLOWING`] as it is handed on.
fn tables_of_changed(
    batches: &[FlowBatch],
    are_held: bool,
    change: impl Fn(usize, &mut [Flow]),
) -> ([RecordBatch; 3], RecordBatch) {
    let mut rows = FlowRows::default();
    if are_held {
        rows.hold_all();
    }
    let mut enricher = Enricher::new(Networks::default());
    for (number, records) in batches.iter().enumerate() {
        let batch = enricher.enrich(records, &Origin::default());
        let mut flows = batch.flows.to_vec();
        change(number, &mut flows);
        let all: Vec<u32> = (0..u32::try_from(records.num_rows()).unwrap()).collect();
        let zeros = vec![0; all.len()];
        rows.append(
            &Seen {
                records,
                flows: &flows,
                unmeasured_rows: batch.unmeasured_rows,
                vias: &vec![Via::Own; all.len()],
                remote_of: &zeros,
                remotes: &[Remote::default()],
                workload_of: &zeros,
                workloads: &[String::new()],
                source_id: "00",
                first_row: i64::try_from(number).unwrap() * 5_000,
                flow_log_id: None,
            },
            &all,
        );
    }
    let handed = rows.batch(&FOLLOWING.map(str::to_owned).into()).unwrap();
    let file = FlowFile::flows(&SpareMemory::default()).unwrap();
    let (flows, profiles, hours) = rolled_up(&rows, file, &mut Scratch::new().unwrap());
    ([read(&flows), read(&profiles), hours], handed)
}

#[test]
fn what_follows_from_other_columns_is_what_rows_would_hold() {
    let batches = with_packets(9_000);
    let foreign = Addr::from_v4([192, 0, 2, 1]);
    // Nothing that does not follow; a side that its record has not in a later batch, and in the first; and another payload.
    for (changed, is_payload) in [
        (None, false),
        (Some(2), false),
        (Some(0), false),
        (Some(1), true),
    ] {
        let change = |number: usize, flows: &mut [Flow]| match changed == Some(number) {
            true if is_payload => flows[7].payload_bytes = 123_456,
            true => flows[7].remote = foreign,
            false => {}
        };
        let tables = [false, true].map(|are_held| tables_of_changed(&batches, are_held, change));
        let [found, own] = tables;
        assert!(found == own, "changed: {changed:?}");
        let ([flows, ..], _) = found;
        for name in FOLLOWING {
            let nulls = flows.column_by_name(name).unwrap().null_count();
            assert!(nulls > 0 && nulls < flows.num_rows(), "{name}");
        }
        let remotes = flows.column_by_name("remote_addr").unwrap();
        let remotes = remotes.as_string::<i32>().iter();
        let foreign = remotes.filter(|addr| *addr == Some("192.0.2.1")).count();
        assert_eq!(foreign, usize::from(changed.is_some() && !is_payload));
        let payload = flows.column_by_name("payload_bytes").unwrap();
        let payload = payload.as_primitive::<Int64Type>();
        let payload: Vec<i64> = payload.iter().flatten().collect();
        assert_eq!(payload.contains(&123_456), is_payload);
        // Of TCP, UDP, ICMP, of no protocol, of less than headers, of ESP; and of IPv6.
        for of in [744, 816, 900, 0, 4_999_999_980, 684, 756] {
            assert!(payload.contains(&of), "{of}: {changed:?}");
        }
        let locals = flows.column_by_name("local_addr").unwrap();
        let sources = flows.column_by_name("srcaddr").unwrap();
        let both = locals
            .as_string::<i32>()
            .iter()
            .zip(sources.as_string::<i32>());
        let passed_on = both.filter(|(local, source)| {
            *source == Some("10.0.9.9") && local.is_some() && local != source
        });
        assert!(passed_on.count() > 0);
    }
}

#[test]
fn what_hardly_shrinks_is_stored_as_it_is() {
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    // Counts without any order, of forty bits.
    let count = |row: u64| {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 24).cast_signed()
    };
    let line = |row: u64| {
        let bytes = count(row);
        format!(
            "5 1 eni-1 10.0.0.{} 203.0.113.9 4000 443 6 3 {bytes} 1790812800 1790812860 ACCEPT OK",
            row % 250
        )
    };
    let lines: Vec<String> = (1..60_000).map(line).collect();
    let file = written(&batch_of(&format!("{header}\n{}\n", lines.join("\n"))));
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let columns = reader
        .metadata()
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    let of = |name: &str| {
        let columns = columns
            .clone()
            .filter(move |of| of.column_path().string() == name);
        let mut all: Vec<_> = columns.map(|of| of.compression()).collect();
        all.dedup();
        all
    };
    let zstd = parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::try_new(1).unwrap());
    assert_eq!(of("srcaddr"), [zstd]);
    assert_eq!(of("bytes"), [parquet::basic::Compression::UNCOMPRESSED]);
    let rows = read(&file);
    let bytes = rows.column_by_name("bytes").unwrap();
    let bytes = bytes.as_primitive::<Int64Type>().values().iter();
    let read: BTreeSet<i64> = bytes.copied().collect();
    assert_eq!(read, (1..60_000).map(count).collect());
}
