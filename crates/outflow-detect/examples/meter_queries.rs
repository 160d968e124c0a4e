//! Times the decoding of Resolver query logs, and the meter of what their names carry behind it, on one thread.
//!
//! ```text
//! cargo run --release -p outflow-detect --example meter_queries -- PLAIN_LOG…
//! ```

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Instant;

use arrow_array::StringArray;
use outflow_detect::{Query, State};
use outflow_record::{Addr, DnsBatch, DnsDecoder, DnsField, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let mut state = State::default();
    let (mut rows, mut decoding, mut metering) = (0u64, 0.0, 0.0);
    for path in std::env::args().skip(1) {
        let text = std::fs::read(path)?;
        let mut decoder = DnsDecoder::new();
        let mut rest = &text[..];
        while !rest.is_empty() {
            #[expect(clippy::disallowed_methods, reason = "this program measures time")]
            let started = Instant::now();
            let taken = decoder.decode(rest);
            rest = &rest[taken..];
            if rest.is_empty() {
                decoder.finish();
            }
            let decoded = decoder.flush();
            #[expect(clippy::disallowed_methods, reason = "this program measures time")]
            let decoded_at = Instant::now();
            decoding += decoded_at.duration_since(started).as_secs_f64();
            if let Some(decoded) = decoded {
                rows += decoded.queries.num_rows() as u64;
                meter(&mut state, &decoded.queries).ok_or("no batch of queries")?;
            }
            metering += decoded_at.elapsed().as_secs_f64();
        }
    }
    let per_second = |seconds: f64| rows as f64 / seconds / 1e6;
    writeln!(
        io::stdout(),
        "{rows} rows; decode {decoding:.2} s, {:.2} M/s; meter {metering:.2} s, {:.2} M/s; both {:.2} M/s; {} MB of state",
        per_second(decoding),
        per_second(metering),
        per_second(decoding + metering),
        state.heap_bytes() / 1_000_000,
    )?;
    Ok(())
}

fn meter(state: &mut State, queries: &DnsBatch) -> Option<()> {
    let texts = |field| queries.texts(field)?.downcast_dict::<StringArray>();
    let (accounts, vpcs) = (texts(DnsField::AccountId)?, texts(DnsField::VpcId)?);
    let (types, rcodes) = (texts(DnsField::QueryType)?, texts(DnsField::Rcode)?);
    let instances = texts(DnsField::Instance)?;
    let all = (0..queries.num_rows()).zip(accounts).zip(vpcs).zip(types);
    let all = all.zip(rcodes).zip(instances);
    let (names, times, addrs) = (
        queries.query_names(),
        queries.query_timestamps(),
        queries.srcaddrs(),
    );
    let query = |(((((row, account), vpc), query_type), rcode), instance): (_, Option<_>)| {
        let row: usize = row;
        let account: Option<&str> = account;
        let vpc: Option<&str> = vpc;
        let query_type: Option<&str> = query_type;
        let rcode: Option<&str> = rcode;
        Query {
            account_id: account.unwrap_or_default(),
            region: "eu-central-1",
            vpc_id: vpc.unwrap_or_default(),
            instance,
            srcaddr: <[u8; 16]>::try_from(addrs.value(row))
                .ok()
                .map(Addr::from_bytes),
            at: Timestamp(times.value(row).div_euclid(1_000_000)),
            name: names.value(row),
            query_type: query_type.unwrap_or_default(),
            rcode: rcode.unwrap_or_default(),
            answer_bytes: 0,
        }
    };
    state.fold_queries(all.map(query));
    Some(())
}
