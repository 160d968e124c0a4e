use std::convert::Infallible;
use std::io::{Cursor, Write as _};

use super::*;

/// What was reported, and what was delivered.
type Outcome = (Read, Vec<u8>);

fn text(lines: u32) -> Vec<u8> {
    let mut text = b"version account-id interface-id bytes\n".to_vec();
    let mut state = 1_u32;
    for _ in 0..lines {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writeln!(
            text,
            "2 123456789012 eni-{:08x} {}",
            state >> 7,
            state >> 20
        )
        .unwrap();
    }
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

type Pack = fn(&[u8]) -> Vec<u8>;

/// Every compression, and the number of bytes that tell it.
const CODECS: [(Compression, Pack, usize); 3] = [
    (Compression::Plain, <[u8]>::to_vec, 0),
    (Compression::Gzip, gzip, 2),
    (Compression::Zstd, zstd, 4),
];

/// The text in members of uneven size, some of them empty, with the ends of all of them in the object.
fn members(text: &[u8], pack: Pack) -> (Vec<u8>, Vec<usize>) {
    let (mut stored, mut ends) = (Vec::new(), Vec::new());
    let third = text.len() / 3;
    for member in [
        &text[..third],
        b"",
        &text[third..third + 1],
        &text[third + 1..],
        b"",
    ] {
        stored.extend_from_slice(&pack(member));
        ends.push(stored.len());
    }
    (stored, ends)
}

struct Files {
    folder: tempfile::TempDir,
    reader: Reader,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            reader: Reader::new(),
        }
    }

    fn object(&self, name: &str, stored: &[u8]) -> Object {
        let path = self.folder.path().join(name);
        std::fs::write(&path, stored).unwrap();
        Object::file(path)
    }

    /// Reads the bytes as a file and as a stream of small reads, which must not differ.
    fn read(&mut self, stored: &[u8]) -> Outcome {
        let object = self.object("x.log.gz", stored);
        let mut whole = Vec::new();
        let mut sink = |piece: &[u8]| {
            assert!((1..=PIECE_BYTES_MAX).contains(&piece.len()));
            whole.extend_from_slice(piece);
            Ok::<(), Infallible>(())
        };
        let read = self.reader.read(&object, &mut sink).unwrap();
        let (streamed, bytes) = stream(&mut self.reader, stored);
        // The zstd decoder may forget what it made just before damage, more or less by the size of the reads.
        if read.compression != Compression::Zstd || read.damage.is_none() {
            assert_eq!(streamed, read);
            assert!(bytes == whole, "the two ways deliver different bytes");
        } else {
            assert!(streamed.damage.is_some() && streamed.sha256 == read.sha256);
            assert!(bytes.starts_with(&whole) || whole.starts_with(&bytes));
        }
        assert_eq!(read.sha256, Some(hex(&Sha256::digest(stored))));
        assert_eq!(
            (read.stored_bytes, read.bytes),
            (stored.len() as u64, whole.len() as u64)
        );
        let mut sink = |_: &[u8]| Ok::<(), Infallible>(());
        let undigested = Reader::undigested().read(&object, &mut sink).unwrap();
        let without = Read {
            sha256: None,
            ..read.clone()
        };
        assert_eq!(undigested, without);
        if let Some(damage) = &read.damage {
            assert_eq!(damage.offset_read, read.bytes);
        }
        (read, whole)
    }
}

/// Gives a few bytes at a time, and is interrupted now and then.
struct Dribble<'a> {
    source: Cursor<&'a [u8]>,
    calls: usize,
}

impl io::Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let room = buffer.len().min([1, 2, 700, 3, 65_536][self.calls % 5]);
        self.source.read(&mut buffer[..room])
    }
}

fn stream(reader: &mut Reader, stored: &[u8]) -> Outcome {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok::<(), Infallible>(())
    };
    reader.piece.resize(PIECE_BYTES_MAX, 0);
    let mut source = Dribble {
        source: Cursor::new(stored),
        calls: 0,
    };
    let read = reader.read_pieces(&mut source, "stdin", &mut sink).unwrap();
    (read, bytes)
}

fn reason(read: &Read) -> &str {
    read.damage.as_ref().map_or("none", |damage| &damage.reason)
}

#[test]
fn sound_objects_are_delivered_whole_whatever_their_name_says() {
    let mut files = Files::new();
    for text in [text(0), text(50), text(20_000)] {
        for (compression, pack, _) in CODECS {
            for stored in [pack(&text), members(&text, pack).0] {
                let (read, bytes) = files.read(&stored);
                assert_eq!((read.compression, reason(&read)), (compression, "none"));
                assert!(bytes == text);
                for name in ["x.log", "x.zst", "x.log.gz", "noname"] {
                    let object = files.object(name, &stored);
                    let again = files
                        .reader
                        .read(&object, &mut |_| Ok::<(), Infallible>(()));
                    assert_eq!(again.unwrap(), read);
                }
            }
        }
    }
}

#[test]
fn nothing_in_any_wrapping_is_nothing() {
    let mut files = Files::new();
    for (compression, pack, _) in CODECS {
        let (read, bytes) = files.read(&pack(b""));
        assert_eq!(
            (read.compression, reason(&read), bytes.len()),
            (compression, "none", 0)
        );
    }
    let (read, _) = files.read(b"");
    assert_eq!(read.compression, Compression::Plain);
    assert_eq!(
        read.sha256.as_deref(),
        Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
}

#[test]
fn a_truncated_object_delivers_a_prefix_and_says_so() {
    let mut files = Files::new();
    let text = text(60);
    for (compression, pack, _) in &CODECS[1..] {
        let (stored, ends) = members(&text, *pack);
        for end in 1..stored.len() {
            let (read, bytes) = files.read(&stored[..end]);
            assert_eq!(read.compression, *compression);
            assert!(text.starts_with(&bytes), "cut at {end}");
            assert_eq!(read.damage.is_none(), ends.contains(&end), "cut at {end}");
            if read.damage.is_some() {
                assert!(
                    reason(&read).starts_with("it ends in the middle of a "),
                    "{read:?}"
                );
            }
        }
    }
}

#[test]
fn a_large_truncated_object_delivers_nearly_all_of_what_is_there() {
    let mut files = Files::new();
    let text = text(40_000);
    for (_, pack, _) in &CODECS[1..] {
        let stored = pack(&text);
        for tenth in 1..10 {
            let (read, bytes) = files.read(&stored[..stored.len() * tenth / 10]);
            assert!(read.damage.is_some() && text.starts_with(&bytes));
            assert!(
                bytes.len() + (256 << 10) > text.len() * tenth / 10,
                "{tenth}: {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn a_flipped_bit_never_passes_unnoticed() {
    let mut files = Files::new();
    let text = text(40);
    for (_, pack, magic) in &CODECS[1..] {
        for stored in [pack(&text), members(&text, *pack).0] {
            for at in *magic..stored.len() {
                let mut flipped = stored.clone();
                flipped[at] ^= 1 << (at % 8);
                let (read, bytes) = files.read(&flipped);
                // Times and names in the wrapping are not covered by any checksum, and tell nothing.
                assert!(read.damage.is_some() || bytes == text, "{at}");
            }
        }
    }
}

#[test]
fn members_before_a_damaged_one_are_delivered_once() {
    let mut files = Files::new();
    let (first, second) = (text(9_000), text(300));
    for (_, pack, _) in &CODECS[1..] {
        let (head, mut tail) = (pack(&first), pack(&second));
        let middle = tail.len() / 2;
        tail[middle..middle + 8].fill(0xff);
        let (read, bytes) = files.read(&[head, tail].concat());
        assert!(reason(&read).starts_with("corrupt "), "{read:?}");
        assert!(bytes.starts_with(&first) && bytes.len() <= first.len() + second.len());
    }
}

#[test]
fn a_wrong_checksum_is_reported_after_everything_was_delivered() {
    let mut files = Files::new();
    let text = text(5_000);
    let mut stored = gzip(&text);
    let checksum = stored.len() - 8;
    stored[checksum] ^= 1;
    let (read, bytes) = files.read(&stored);
    assert_eq!(reason(&read), "corrupt gzip data: incorrect data check");
    assert!(bytes == text);
    stored[checksum] ^= 1;
    stored[checksum + 4] ^= 1;
    let (read, bytes) = files.read(&stored);
    assert_eq!(reason(&read), "corrupt gzip data: incorrect length check");
    assert!(bytes == text);
}

#[test]
fn zeros_behind_the_end_are_padding_and_anything_else_is_damage() {
    let mut files = Files::new();
    let text = text(100);
    for (_, pack, _) in &CODECS[1..] {
        for stored in [pack(&text), members(&text, *pack).0] {
            for zeros in [1, 3, 4, 8, 512, 300_000] {
                let (read, bytes) = files.read(&[&stored[..], &vec![0; zeros]].concat());
                assert_eq!((reason(&read), bytes == text), ("none", true));
            }
            for garbage in [
                &b"x"[..],
                b"garbage",
                b"\0\0x",
                &[0x1f],
                &[0x1f, 0x8b],
                b"\0\x1f\x8b",
            ] {
                let (read, bytes) = files.read(&[&stored[..], garbage].concat());
                assert!(read.damage.is_some() && bytes == text, "{garbage:?}");
            }
        }
    }
}

#[test]
fn the_digest_covers_the_object_to_its_end_even_behind_damage() {
    let mut files = Files::new();
    let garbage = vec![b'x'; 700_000];
    let stored = [&gzip(b"2\n")[..], &garbage].concat();
    // Both ways of reading assert it.
    let (read, _) = files.read(&stored);
    assert_eq!(
        reason(&read),
        "the last gzip member is followed by something else"
    );
}

#[test]
fn skippable_frames_are_skipped() {
    let mut files = Files::new();
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let stored = [&skippable[..], &zstd(b"2\n"), &skippable].concat();
    let (read, bytes) = files.read(&stored);
    assert_eq!(
        (read.compression, reason(&read)),
        (Compression::Zstd, "none")
    );
    assert_eq!(bytes, b"2\n");
}

#[test]
fn a_window_too_large_for_memory_is_refused() {
    let mut encoder = zstd::stream::raw::Encoder::new(3).unwrap();
    encoder
        .set_parameter(zstd::stream::raw::CParameter::WindowLog(28))
        .unwrap();
    let mut writer = zstd::stream::zio::Writer::new(Vec::new(), encoder);
    writer.write_all(&text(10)).unwrap();
    writer.finish().unwrap();
    let (stored, _) = writer.into_inner();
    let (read, bytes) = Files::new().read(&stored);
    assert!(reason(&read).contains("memory"), "{read:?}");
    assert_eq!(bytes, b"");
}

#[test]
fn a_bomb_does_not_fill_memory() {
    let mut files = Files::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let size = INFLATED_MAX + 1;
    io::copy(&mut io::Read::take(io::repeat(0), size), &mut encoder).unwrap();
    let object = files.object("bomb", &encoder.finish().unwrap());
    let read = files
        .reader
        .read(&object, &mut |_| Ok::<(), Infallible>(()))
        .unwrap();
    assert_eq!((read.bytes, reason(&read)), (size, "none"));
    assert!(files.reader.heap_bytes() < 8 << 20, "{:?}", files.reader);
}

#[test]
fn errors_name_the_object_and_the_sink_stops_the_reading() {
    let mut files = Files::new();
    let gone = Object::file(files.folder.path().join("gone"));
    let read = files.reader.read(&gone, &mut |_| Ok::<(), Infallible>(()));
    assert_eq!(
        read.unwrap_err().to_string(),
        format!("could not read `{}`", gone.uri)
    );
    let folder = Object::file(files.folder.path());
    let read = files
        .reader
        .read(&folder, &mut |_| Ok::<(), Infallible>(()));
    assert!(matches!(read, Err(ReadError::Object(Error::Read { .. }))));
    let parquet = files.object("x", b"PAR1 and more");
    let read = files
        .reader
        .read(&parquet, &mut |_| Ok::<(), Infallible>(()));
    assert!(matches!(
        read,
        Err(ReadError::Parquet(parquet)) if parquet.stored_bytes() == 13
    ));
    for (_, pack, _) in CODECS {
        let object = files.object("y", &pack(&text(20_000)));
        let mut pieces = 0;
        let mut sink = |_: &[u8]| {
            pieces += 1;
            if pieces == 2 { Err("full") } else { Ok(()) }
        };
        let read = files.reader.read(&object, &mut sink);
        assert!(matches!(read, Err(ReadError::Sink { error: "full", .. })));
        assert_eq!(pieces, 2);
    }
}

#[test]
fn an_error_in_mid_read_is_no_damage() {
    struct Failing(u8);
    impl io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 3 {
                return Err(io::Error::other("the disk is gone"));
            }
            buffer[..4].copy_from_slice(b"2 3\n");
            Ok(4)
        }
    }
    let mut reader = Reader::new();
    let mut bytes = 0;
    let mut sink = |piece: &[u8]| {
        bytes += piece.len();
        Ok::<(), Infallible>(())
    };
    let read = reader.read_pieces(&mut Failing(0), "stdin", &mut sink);
    assert_eq!(read.unwrap_err().to_string(), "could not read `stdin`");
    assert_eq!(bytes, 12);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_to_its_end() {
    let files = Files::new();
    let path = files.folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let stored = gzip(&text(3_000));
    let object = Object::file(&path);
    let mut reader = files.reader;
    std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&path, &stored).unwrap());
        let read = reader
            .read(&object, &mut |_| Ok::<(), Infallible>(()))
            .unwrap();
        assert_eq!(
            (read.bytes, reason(&read)),
            (text(3_000).len() as u64, "none")
        );
    });
}

/// As `Read` tells it, through all that an object may be packed in.
fn read_within(stored: &[u8]) -> Outcome {
    let files = Files::new();
    let object = files.object("x", stored);
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| {
        assert!(!piece.is_empty());
        bytes.extend_from_slice(piece);
        Ok::<(), Infallible>(())
    };
    let read = Reader::new().read(&object, &mut sink).unwrap();
    assert_eq!(
        (read.stored_bytes, read.bytes),
        (stored.len() as u64, bytes.len() as u64)
    );
    assert_eq!(read.sha256, Some(hex(&Sha256::digest(stored))));
    (read, bytes)
}

#[test]
fn line_feeds_between_members_part_lines_and_are_no_damage() {
    let mut files = Files::new();
    let text = text(300);
    let delimited = |pieces: &[&[u8]], feed: &[u8]| {
        let members = pieces.iter().map(|piece| [&gzip(piece)[..], feed].concat());
        members.collect::<Vec<Vec<u8>>>().concat()
    };
    let pieces: Vec<&[u8]> = text.chunks(997).collect();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    // What Firehose parts by a line feed are records, whole, whether they end with one or not.
    let parted = pieces.join(&b'\n');
    for feed in [&b"\n"[..], b"\r\n", b"\n\n"] {
        let (read, bytes) = files.read(&delimited(&pieces, feed));
        assert_eq!((reason(&read), bytes == parted), ("none", true), "{feed:?}");
        let (read, bytes) = files.read(&delimited(&lines, feed));
        assert_eq!((reason(&read), bytes == text), ("none", true), "{feed:?}");
    }
    // Who compresses block by block cuts lines, and puts nothing between.
    let (read, bytes) = files.read(&delimited(&pieces, b""));
    assert_eq!((reason(&read), bytes == text), ("none", true));
    // Of one record nothing is parted, and nothing is put behind what may be no text.
    assert_eq!(files.read(&delimited(&[b"PAR"], b"\n")).1, b"PAR");
    assert_eq!(
        files.read(&delimited(&[b"a", b"", b"b\n", b"c"], b"\n")).1,
        b"a\nb\nc"
    );
    let (read, bytes) = files.read(&delimited(&pieces, b"x"));
    assert!(read.damage.is_some() && bytes == text[..997]);
}

#[test]
fn gzip_within_gzip_is_unpacked_as_firehose_delivers_it() {
    let text = text(5_000);
    for pack in [gzip as Pack, zstd] {
        let (inner, _) = members(&text, gzip);
        let (outer, _) = members(&inner, pack);
        for stored in [pack(&gzip(&text)), pack(&inner), outer] {
            let (read, bytes) = read_within(&stored);
            assert_eq!((reason(&read), bytes == text), ("none", true));
        }
        let (read, bytes) = read_within(&pack(&gzip(b"")));
        assert_eq!((reason(&read), bytes.len()), ("none", 0));
        // Either may break off, and what is there is delivered.
        let inner = gzip(&text);
        let stored = pack(&inner);
        for cut in [
            pack(&inner[..inner.len() - 9]),
            stored[..stored.len() - 9].to_vec(),
        ] {
            let (read, bytes) = read_within(&cut);
            assert!(read.damage.is_some() && text.starts_with(&bytes));
        }
    }
    // Once more, and no more often.
    let (_, bytes) = read_within(&gzip(&gzip(&gzip(&text))));
    assert_eq!(bytes, gzip(&text));
    // A few bytes of text are no less text.
    for short in [&b""[..], b"2", b"2 \n", &[0x1f], b"PAR"] {
        assert_eq!(read_within(&gzip(short)).1, short);
    }
}

#[test]
fn what_gzip_within_gzip_holds_is_bounded() {
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..1_200_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect();
    let inner = gzip(&noise);
    assert!(inner.len() as u64 > within::INNER_BYTES_MAX);
    let (read, bytes) = read_within(&gzip(&inner));
    assert!(reason(&read).contains("unpack it once"), "{read:?}");
    assert!(noise.starts_with(&bytes) && !bytes.is_empty());
}
