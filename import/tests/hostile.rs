//! Files made to harm: each ends in a word on what is wrong, in bounded memory.

use std::io::{self, Read, Write};

use import::{Format, Import, ImportError, LogOptions, NAMES, Options, StateOptions};

const GIGABYTE: u64 = 1 << 30;
/// More than any piece may be, and less to wait for than a gigabyte.
const TOO_LONG: u64 = 80 << 20;
/// The most that the whole process may have held, in KiB; all tests of this file run in it at once.
const PEAK_KIB_MAX: u64 = 1_000_000;

/// Options with which every format can be read.
fn options(format: Option<Format>) -> Options {
    let pattern = match format {
        Some(Format::Pattern) => Some("^(?<time>\\S+) (?<message>.*)$"),
        Some(Format::VectorClock) => Some("(?<event>.*)\\n(?<host>\\S*) (?<clock>\\{.*\\})"),
        _ => None,
    };
    Options {
        format,
        logs: LogOptions {
            service: Some("hostile".into()),
            zone: "utc".parse().ok(),
            year: Some(2026),
            pattern: pattern.map(|pattern| regex::Regex::new(pattern).expect("a pattern")),
            ..LogOptions::default()
        },
        state: StateOptions {
            copy: Some("a copy".into()),
            entity: Some("order".into()),
            at: "2026-11-23T10:00:00Z".parse().ok(),
            ..StateOptions::default()
        },
    }
}

/// Reads a file; how many items came of it, too.
fn read(file: impl Read, format: Option<Format>) -> (Result<Import, ImportError>, u64) {
    let mut items = 0;
    let read = import::read(file, &options(format), &mut |request| {
        items += u64::from(request.checked.items) - request.checked.refused.len() as u64;
        Ok(())
    });
    (read, items)
}

/// Whether something was said: an error, a fault, or that an item was refused.
fn complains(read: &Result<Import, ImportError>) -> bool {
    read.as_ref().map_or(true, |import| !import.faults.is_empty() || import.counts.refused > 0)
}

/// The most that this process has held, in KiB.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

fn stays_small() {
    if let Some(peak) = peak_kib() {
        assert!(peak < PEAK_KIB_MAX, "{peak} KiB were held");
    }
}

/// `begin`, then so many times one byte, never on a disk.
fn endless(begin: &str, byte: u8, bytes: u64) -> impl Read + '_ {
    begin.as_bytes().chain(io::repeat(byte).take(bytes))
}

#[test]
fn a_line_without_an_end_is_passed_over_in_every_format() {
    for (name, format) in NAMES {
        let begin = match format {
            Format::OtlpProtobuf | Format::OtlpFrames => "\n",
            Format::Syslog => "<13>1 ",
            Format::Pattern | Format::Logfmt | Format::VectorClock => "time=",
            Format::Changes => "time,id\n",
            Format::Snapshot => "id,price\n7,",
            _ => "{\"resourceSpans\":[{\"name\":\"",
        };
        let (read, items) = read(endless(begin, b'a', TOO_LONG), Some(format));
        assert!(complains(&read), "{name}: {read:?}");
        assert_eq!(items, 0, "{name}");
    }
    stays_small();
}

#[test]
fn good_lines_around_a_line_of_a_gigabyte_are_kept() {
    let good = "{\"time\":\"2026-11-23T10:00:00Z\",\"msg\":\"order 42 is now paid\"}\n";
    let file = good
        .as_bytes()
        .chain(endless("{\"msg\":\"", b'a', GIGABYTE))
        .chain(&b"\n"[..])
        .chain(good.as_bytes());
    let (read, items) = read(file, Some(Format::JsonLines));
    assert_eq!(items, 2);
    let faults = read.expect("a file").faults;
    assert_eq!((faults.len(), faults[0].place.as_str()), (1, "line 2"));
    assert!(faults[0].what.contains("longer than 64 MiB"), "{faults:?}");
    stays_small();
}

/// So many blanks, which compress to next to nothing.
fn zstd_bomb(bytes: u64) -> Vec<u8> {
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("zstd");
    io::copy(&mut io::repeat(b' ').take(bytes), &mut zstd).expect("compressed");
    zstd.finish().expect("compressed")
}

/// The same in gzip: a file of many members is one file.
fn gzip_bomb(bytes: u64) -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    member.write_all(&vec![b' '; 8 << 20]).expect("compressed");
    member.finish().expect("compressed").repeat((bytes >> 23) as usize)
}

#[test]
fn a_bomb_is_never_held_whole() {
    let bombs = [
        ("zstd", zstd_bomb(GIGABYTE), zstd_bomb(TOO_LONG)),
        ("gzip", gzip_bomb(2 * TOO_LONG), gzip_bomb(TOO_LONG)),
    ];
    for (compression, bomb, smaller) in bombs {
        assert!(bomb.len() < 8 << 20, "{compression} is {} bytes", bomb.len());
        let (read_whole, items) = read(&bomb[..], Some(Format::JsonLines));
        assert!(items == 0 && complains(&read_whole), "{compression}: {read_whole:?}");
        let (unnamed, _) = read(&bomb[..], None);
        assert!(unnamed.is_err(), "{compression}: {unnamed:?}");
        for (name, format) in NAMES {
            // Blanks are JSON that never begins, and no row.
            let (read, items) = read(&smaller[..], Some(format));
            assert_eq!(items, 0, "{name} in {compression}: {read:?}");
        }
    }
    stays_small();
}

#[test]
fn a_bomb_within_a_frame_is_told() {
    let bomb = zstd_bomb(GIGABYTE);
    let mut file = u32::try_from(bomb.len()).expect("small").to_be_bytes().to_vec();
    file.extend(bomb);
    let (read, _) = read(&file[..], Some(Format::OtlpFrames));
    let faults = read.expect("a file").faults;
    assert!(faults[0].what.contains("inflated"), "{faults:?}");
    stays_small();
}

#[test]
fn a_file_cut_off_anywhere_keeps_what_is_whole_and_tells_the_rest() {
    let line = include_str!("../../fixtures/incidents/shop.otlp.jsonl").lines().next().expect("a line");
    let file = format!("{line}\n{line}\n");
    for cut in [1, line.len() / 2, line.len() - 1, line.len() + 2, file.len() - 20] {
        let (read, items) = read(&file.as_bytes()[..cut], Some(Format::OtlpJson));
        assert!(complains(&read), "cut at {cut}: {read:?}");
        assert_eq!(items > 0, cut > line.len(), "cut at {cut}");
    }
    let mut zstd = zstd::stream::encode_all(file.as_bytes(), 1).expect("zstd");
    zstd.truncate(zstd.len() - 10);
    let (torn, _) = read(&zstd[..], Some(Format::OtlpJson));
    assert!(
        torn.expect_err("torn").to_string().contains("it cannot be read"),
        "a torn compression is an error"
    );
}

#[test]
fn other_encodings_are_told_and_never_taken_for_text() {
    let line = "{\"time\":\"2026-11-23T10:00:00Z\",\"msg\":\"Größe\"}\n";
    let wide: Vec<u8> =
        std::iter::once(0xfeff).chain(line.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, format) in NAMES {
        let (read, items) = read(&wide[..], Some(format));
        let is_lines = matches!(format, Format::Logfmt | Format::Pattern | Format::VectorClock);
        assert!(complains(&read) || is_lines && items == 0, "UTF-16 as {name}: {read:?}, {items} items");
    }
    let (unnamed, _) = read(&wide[..], None);
    assert!(unnamed.is_err(), "{unnamed:?}");
    let latin: Vec<u8> = line.chars().map(|char| char as u8).collect();
    let (read, items) = read(&latin[..], Some(Format::JsonLines));
    assert_eq!(items, 1, "a letter of it is lost, the line is kept: {read:?}");
}

#[test]
fn ids_that_are_none_are_refused_one_by_one() {
    let span = |trace: &str, span: &str| {
        format!(
            "{{\"traceId\":{trace},\"spanId\":{span},\"name\":\"x\",\"kind\":1,\"startTimeUnixNano\":\"1795428000000000000\",\
             \"endTimeUnixNano\":\"1795428000000000001\"}}"
        )
    };
    let good = span("\"0af7651916cd43dd8448eb211c80319c\"", "\"b7ad6b7169203331\"");
    for (trace, own) in [
        ("\"NaN\"", "\"b7ad6b7169203331\""),
        ("\"0af7651916cd43dd8448eb211c80319c\"", "\"NaN\""),
        ("\"00000000000000000000000000000000\"", "\"b7ad6b7169203331\""),
        ("\"0af7651916cd43dd8448eb211c80319c\"", "\"\""),
        ("null", "null"),
        ("NaN", "NaN"),
        ("1e999", "-1"),
    ] {
        let request =
            |spans: &str| format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{spans}]}}]}}]}}\n");
        let file = request(&span(trace, own)) + &request(&good);
        let (read, items) = read(file.as_bytes(), Some(Format::OtlpJson));
        assert!(complains(&read), "{trace} {own}: {read:?}");
        assert_eq!(items, 1, "{trace} {own}: {read:?}");
    }
    for format in [Format::Jaeger, Format::Zipkin, Format::Tempo] {
        let files = [
            "{\"data\":[{\"traceID\":NaN,\"spans\":[{\"spanID\":NaN}]}]}",
            "{\"data\":[{\"traceID\":\"NaN\",\"spans\":[{\"traceID\":\"NaN\",\"spanID\":\"NaN\",\"operationName\":\"x\"}]}]}",
            "[{\"traceId\":\"NaN\",\"id\":\"NaN\",\"timestamp\":NaN}]",
            "[{\"traceId\":\"NaN\",\"id\":\"NaN\",\"timestamp\":1}]",
            "{\"batches\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"NaN\",\"spanId\":\"\"}]}]}]}",
        ];
        for file in files {
            let (read, items) = read(file.as_bytes(), Some(format));
            assert_eq!(items, 0, "{file} as {format:?}: {read:?}");
        }
    }
}
