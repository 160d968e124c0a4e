use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use outflow_record::{Decoded, Field};

use super::*;

const ROWS: i64 = 10_000;
const GROUP_ROWS: usize = 3_000;

/// Rows of which every seventh is of a window without flows.
fn table() -> RecordBatch {
    let rows = || 0..ROWS;
    let texts = |text: &dyn Fn(i64) -> String| {
        Arc::new(rows().map(text).map(Some).collect::<StringArray>()) as ArrayRef
    };
    let status = |row: i64| if row % 7 == 0 { "NODATA" } else { "OK" }.to_owned();
    let columns: [(&str, ArrayRef); 6] = [
        (
            "srcaddr",
            texts(&|row| format!("10.0.{}.{}", row / 250, row % 250)),
        ),
        ("dstaddr", texts(&|row| format!("203.0.113.{}", row % 9))),
        (
            "srcport",
            Arc::new(
                rows()
                    .map(|row| i32::try_from(row).unwrap())
                    .collect::<Int32Array>(),
            ),
        ),
        ("bytes", Arc::new(rows().map(Some).collect::<Int64Array>())),
        ("log_status", texts(&status)),
        ("of_tomorrow", texts(&|row| row.to_string())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn stored(compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        // So that the dictionary of sources is given up half-way.
        .set_dictionary_page_size_limit(8_000)
        .build();
    let (table, mut stored) = (table(), Vec::new());
    let mut writer = ArrowWriter::try_new(&mut stored, table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
    stored
}

fn flows(batch: &Batch) -> &Decoded {
    match batch {
        Batch::Flows(decoded) => decoded,
        Batch::Queries(_) => panic!("a table of flows"),
    }
}

/// Rows, coverage rows, bytes and lines, and how the reading went.
fn read(parquet: &Parquet) -> ((usize, usize, u64, u64), ParquetRead) {
    let mut sums = (0, 0, 0, 0);
    let read = parquet.decode(&mut |batch| {
        let decoded = flows(batch);
        sums.0 += decoded.flows.num_rows();
        sums.1 += decoded.coverage.len();
        sums.2 += decoded
            .flows
            .u64s(Field::Bytes)
            .unwrap()
            .values()
            .iter()
            .sum::<u64>();
        sums.3 += decoded.lines;
    });
    (sums, read.unwrap())
}

fn whole() -> (usize, usize, u64, u64) {
    let flows = (0..10_000_u64).filter(|row| row % 7 != 0);
    let bytes = flows.clone().sum();
    let count = flows.count();
    (count, 10_000 - count, bytes, 10_000)
}

#[test]
fn every_codec_is_read_from_memory_and_from_a_file() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let brotli = Compression::BROTLI(BrotliLevel::default());
    let (lz4, lz4_raw) = (Compression::LZ4, Compression::LZ4_RAW);
    let none = Compression::UNCOMPRESSED;
    for codec in [none, Compression::SNAPPY, gzip, zstd, brotli, lz4, lz4_raw] {
        let stored = stored(codec);
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &stored).unwrap();
        let (file, memory) = (
            Parquet::in_file(file, true).unwrap(),
            Parquet::in_memory(stored),
        );
        assert_eq!(
            (file.sha256(), file.stored_bytes()),
            (memory.sha256(), memory.stored_bytes())
        );
        for parquet in [file, memory] {
            let (sums, read) = read(&parquet);
            assert_eq!(sums, whole(), "{codec:?}");
            assert_eq!((read.rows, read.damage), (10_000, None));
            assert_eq!(read.unknown, ["of_tomorrow"]);
        }
    }
}

#[test]
fn what_stands_before_damage_is_kept_and_the_rest_is_told() {
    let stored = stored(Compression::SNAPPY);
    for cut in [4, 12, stored.len() / 2, stored.len() - 1] {
        let (sums, read) = read(&Parquet::in_memory(stored[..cut].to_vec()));
        assert_eq!(
            sums,
            (0, 0, 0, 0),
            "without its footer, nothing can be read"
        );
        assert!(read.damage.is_some());
    }
    let mut spoilt = stored.clone();
    let metadata =
        ArrowReaderMetadata::load(&Bytes::from(stored), ArrowReaderOptions::new()).unwrap();
    let chunk = metadata.metadata().row_group(2).column(3);
    let (start, length) = chunk.byte_range();
    let (start, length) = (
        usize::try_from(start).unwrap(),
        usize::try_from(length).unwrap(),
    );
    spoilt[start..start + length].fill(0xff);
    let (sums, read) = read(&Parquet::in_memory(spoilt.clone()));
    // The groups behind it are read, too.
    let sound = 10_000 - GROUP_ROWS as u64;
    assert_eq!((read.rows, sums.3), (sound, sound));
    let damage = read.damage.unwrap();
    assert!(damage.starts_with("row group 2 of 4 cannot"), "{damage}");

    let chunk = metadata.metadata().row_group(0).column(3);
    let (start, length) = chunk.byte_range();
    let start = usize::try_from(start).unwrap();
    spoilt[start..start + usize::try_from(length).unwrap()].fill(0xff);
    let (sums, read) = self::read(&Parquet::in_memory(spoilt));
    assert_eq!(sums.3, 10_000 - 2 * GROUP_ROWS as u64);
    let damage = read.damage.unwrap();
    assert!(
        damage.starts_with("2 row groups, 0 the first, of 4 cannot"),
        "{damage}"
    );
}

#[test]
fn a_codec_that_is_not_read_is_named() {
    // In the footer, the path of a column stands before its codec: 1 is Snappy and 3 LZO, both doubled.
    let (snappy, lzo) = (b"bytes\x15\x02", b"bytes\x15\x06");
    let mut stored = stored(Compression::SNAPPY);
    let is_codec = |at: &usize| stored[*at..].starts_with(snappy);
    let places: Vec<usize> = (0..stored.len()).filter(is_codec).collect();
    assert_eq!(places.len(), 4, "one for each row group");
    for at in places {
        stored[at..at + lzo.len()].copy_from_slice(lzo);
    }
    let refused = Parquet::in_memory(stored).decode(&mut |_| panic!("a batch"));
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("column `bytes` is compressed with LZO"),
        "{refused}"
    );
}

#[test]
fn a_panic_is_a_report_of_damage() {
    let panics = || -> Result<(), ParquetError> { panic!("odd page\nand more") };
    let told = guarded(panics).unwrap_err().to_string();
    assert!(told.contains("make no sense (odd page)"), "{told}");
    assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
}

#[test]
fn no_changed_byte_does_worse_than_damage() {
    let batch = table().slice(0, 20);
    let mut stored = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut stored, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    for at in 0..stored.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut spoilt = stored.clone();
            spoilt[at] ^= change;
            let parquet = Parquet::in_memory(spoilt);
            let mut lines = 0;
            let read = parquet.decode(&mut |batch| {
                let decoded = flows(batch);
                let rows =
                    decoded.flows.num_rows() + decoded.coverage.len() + decoded.rejects.len();
                assert_eq!(decoded.lines, rows as u64);
                lines += decoded.lines;
            });
            assert!(read.is_err() || read.is_ok_and(|read| read.rows == lines));
        }
    }
}

#[test]
fn a_stream_is_read_as_far_as_memory_allows() {
    let stored = stored(Compression::SNAPPY);
    let (head, mut rest) = stored.split_at(100);
    let parquet = Parquet::in_stream(head, &mut rest, true).unwrap().unwrap();
    assert_eq!(read(&parquet).0, whole());
    let too_large = Parquet::in_stream(MAGIC, &mut io::repeat(0), true).unwrap();
    assert!(too_large.is_none());
}

#[test]
fn an_encrypted_footer_is_refused_as_what_it_is() {
    let mut stored = stored(Compression::SNAPPY);
    let end = stored.len() - 4;
    stored[end..].copy_from_slice(ENCRYPTED_MAGIC);
    let refused = Parquet::in_memory(stored).decode(&mut |_| panic!("nothing can be read"));
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("encrypted"), "{told}");
}
