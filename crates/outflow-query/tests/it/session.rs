//! What a session lets be asked, and how it says no.

use outflow_query::{Error, Limits, Session, Spot};

use crate::world::WORLD;

fn one(sql: &str) -> String {
    let answer = WORLD.ask(&WORLD.session(), sql, Vec::new()).unwrap();
    assert_eq!((answer.rows.len(), answer.columns.len()), (1, 1), "{sql}");
    answer.rows[0][0].clone()
}

fn refused(sql: &str) -> Error {
    WORLD.ask(&WORLD.session(), sql, Vec::new()).err().unwrap()
}

#[test]
fn the_examples_of_functions_answer_what_they_say() {
    let functions = outflow_udf::functions(outflow_udf::Known::default());
    let of_engine = outflow_udf::of_engine();
    let shown: Vec<_> = functions
        .about
        .iter()
        .chain(&of_engine)
        .filter(|about| !about.answer.is_empty())
        .collect();
    assert!(shown.len() > 8);
    for about in shown {
        assert_eq!(one(about.example), about.answer, "{}", about.name);
    }
}

#[test]
fn a_time_is_told_by_templates_of_both_languages() {
    let time = "TIMESTAMP '2026-10-01T08:07:11.042'";
    for (template, told) in [
        ("YYYY-MM-DD\"T\"HH24:MI:SS.MS", "2026-10-01T08:07:11.042"),
        ("FMMonth FMDD, FMHH12 am, Q", "October 1, 8 am, 4"),
        ("%d.%m.%Y", "01.10.2026"),
    ] {
        assert_eq!(one(&format!("SELECT to_char({time}, '{template}')")), told);
    }
    // Of each row its own, and of what is nothing, nothing.
    let sql = "SELECT string_agg(coalesce(to_char(DATE '2026-10-01', t), '-'), '|') FROM (VALUES ('MM'), ('%Y'), (NULL)) AS v(t)";
    assert_eq!(one(sql), "10|2026|-");
    for template in ["Month", "DDth", "99"] {
        let error = refused(&format!("SELECT to_char({time}, '{template}')")).to_string();
        assert!(error.contains("to_char has nothing for"), "{error}");
    }
}

#[test]
fn names_are_those_that_a_query_finds() {
    let names = WORLD.session().names();
    for name in [
        "flows",
        "flows_once",
        "vpc_flow_logs",
        "date",
        "sender",
        "date_bin",
        "cidr_contains",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    one("SELECT count(*) FROM profiles_once WHERE sender IS NULL");
    one("SELECT count(*) FROM vpc_flow_logs WHERE date IS NULL");
}

#[test]
fn a_function_that_needs_a_context_says_so() {
    for about in outflow_udf::functions(outflow_udf::Known::default()).about {
        if about.fails.contains("--context") {
            let Error::Value { message: text } = refused(about.example) else {
                panic!("{}", about.name);
            };
            assert!(text.contains("--context"), "{}: {text}", about.name);
        }
    }
}

#[test]
fn an_error_points_at_the_word() {
    let Error::Sql { message, spot, .. } = refused("SELECT interface_id,\n  byts FROM flows")
    else {
        panic!()
    };
    assert!(message.contains("byts"), "{message}");
    let spot = spot.unwrap();
    assert_eq!((spot.line, spot.column, spot.chars), (2, 3, 4));

    let sql = "SELECT count(*) FRM flows WHERE";
    let Error::Sql { spot, .. } = refused(sql) else {
        panic!()
    };
    assert_eq!(spot.unwrap().line, 1);
    let Error::Sql { message, .. } = refused("SELECT * FROM flow") else {
        panic!()
    };
    assert!(message.contains("flow"), "{message}");
}

#[test]
fn a_line_is_underlined_where_it_is_wrong() {
    let spot = Spot {
        line: 2,
        column: 3,
        chars: 4,
    };
    let (line, marks) = spot.underlined("SELECT\n\tbytes\n").unwrap();
    assert_eq!((line.as_str(), marks.as_str()), (" bytes", "  ^^^^"));
    assert_eq!(spot.underlined("SELECT"), None);
}

#[test]
fn nothing_but_queries_is_let_through() {
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "DROP TABLE flows",
        "INSERT INTO flows SELECT * FROM flows",
        "DELETE FROM flows",
        "COPY flows TO '/tmp/outflow-never.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "CREATE VIEW v AS SELECT 1",
    ] {
        let error = refused(sql);
        assert!(matches!(error, Error::Writes { .. }), "{sql}: {error:?}");
    }
    assert!(!std::path::Path::new("/tmp/outflow-never.parquet").exists());
    // Files are no tables.
    assert!(matches!(
        refused("SELECT * FROM '/etc/passwd'"),
        Error::Sql { .. }
    ));
}

#[test]
fn what_takes_too_much_memory_ends_with_an_error_and_the_session_goes_on() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        spill_bytes: 1 << 20,
        threads: 1,
    };
    let session = Session::over(&WORLD.lake, limits, outflow_udf::Known::default()).unwrap();
    let large = "SELECT array_agg(a.srcaddr || b.dstaddr) FROM flows a CROSS JOIN flows b";
    let error = WORLD.ask(&session, large, Vec::new()).err().unwrap();
    assert!(matches!(error, Error::Memory { .. }), "{error:?}");
    assert_eq!(
        WORLD.ask(&session, "SELECT 1", Vec::new()).unwrap().rows[0][0],
        "1"
    );
}

#[test]
fn what_is_too_much_to_sort_in_memory_is_spilled_whatever_the_threads() {
    let sorted = "SELECT bytes, start, interface_id, srcaddr, dstaddr, srcport, dstport FROM flows ORDER BY 1 DESC, 2, 3, 4, 5, 6, 7";
    let whole = "SELECT * FROM flows ORDER BY bytes DESC, source_id, source_row";
    let ask = |sql: &str, memory_bytes: usize| {
        let limits = Limits {
            memory_bytes,
            spill_bytes: 1 << 30,
            threads: 8,
        };
        let session = Session::over(&WORLD.lake, limits, outflow_udf::Known::default()).unwrap();
        WORLD.ask(&session, sql, Vec::new()).unwrap().rows
    };
    let spilled = ask(sorted, 20 << 20);
    assert!(spilled.len() > 100_000, "{}", spilled.len());
    assert!(spilled == ask(sorted, 4 << 30));
    // All columns of a row take some kilobytes.
    assert_eq!(ask(whole, 64 << 20).len(), spilled.len());
}

#[test]
fn rows_of_a_busy_port_are_chosen_behind_the_reader_and_of_an_address_within() {
    let session = WORLD.session();
    let plan = |wanted: &str| {
        let sql = format!("EXPLAIN SELECT count(*), sum(bytes) FROM flows WHERE {wanted}");
        format!("{:?}", WORLD.ask(&session, &sql, Vec::new()).unwrap().rows)
    };
    let busy = "dstport = 443 AND direction = 'egress'";
    assert!(plan(busy).contains("FilterExec"));
    for other in [
        "srcaddr = '10.16.37.134'",
        "direction = 'egress'",
        "dstport = 4430",
    ] {
        assert!(!plan(other).contains("FilterExec"), "{other}");
    }
    let ask = |sql: &str| WORLD.ask(&session, sql, Vec::new()).unwrap().rows;
    let counted = ask(&format!(
        "SELECT count(*), sum(bytes) FROM flows WHERE {busy}"
    ));
    let within = "SELECT count(*) FILTER (WHERE dstport = 443), sum(bytes) FILTER (WHERE dstport = 443) FROM flows \
                  WHERE direction = 'egress'";
    assert_eq!(counted, ask(within));
}

#[test]
fn files_that_cannot_hold_what_is_asked_for_are_not_read() {
    let plan = |sql: &str| {
        let answer = WORLD.ask(&WORLD.session(), &format!("EXPLAIN {sql}"), Vec::new());
        format!("{:?}", answer.unwrap().rows)
    };
    let files = |sql: &str| plan(sql).matches(".zstd.parquet").count();
    let all = files("SELECT bytes FROM flows");
    let day = files("SELECT bytes FROM flows WHERE day = DATE '2026-09-03'");
    assert!(day >= 1 && all > 3 * day, "{all} {day}");
    let hour =
        "start >= TIMESTAMP '2026-09-03T10:00:00Z' AND start < TIMESTAMP '2026-09-03T11:00:00Z'";
    let of_hour = files(&format!("SELECT bytes FROM flows WHERE {hour}"));
    assert!((1..=day).contains(&of_hour), "{of_hour}");
    assert_eq!(
        files("SELECT bytes FROM flows WHERE day = DATE '1999-01-01'"),
        0
    );
    // 2026-09-03, as the query of a finding asks.
    let seconds = "SELECT * FROM vpc_flow_logs WHERE start BETWEEN 1788393600 AND 1788393659";
    assert!((1..=day).contains(&files(seconds)), "{}", files(seconds));
    assert_eq!(
        files("SELECT bytes FROM flows WHERE region = 'ap-east-9'"),
        0
    );
}

#[test]
fn an_address_on_either_side_is_looked_up_in_filters() {
    let session = WORLD.session();
    let ask = |sql: &str| WORLD.ask(&session, sql, Vec::new()).unwrap().rows;
    let counted = |table: &str, wanted: &str| {
        ask(&format!(
            "SELECT count(*), sum(bytes), min(start) FROM {table} WHERE {wanted}"
        ))
    };
    let read = |wanted: &str| {
        let plan = ask(&format!("EXPLAIN SELECT bytes FROM flows WHERE {wanted}"));
        format!("{plan:?}").matches(".zstd.parquet").count()
    };
    let all = read("bytes > 0");
    let either = "srcaddr = '45.84.72.193' OR dstaddr = '45.84.72.193'";
    // Of this nothing can be looked up.
    let slowly = "45.84.72.193' IN (concat(srcaddr, ''), concat(dstaddr, ''))";
    let found = counted("flows", either);
    assert_eq!(found, counted("flows", &format!("'{slowly}")));
    assert_ne!(found[0][0], "0");
    assert!(
        (1..all).contains(&read(either)),
        "{} of {all}",
        read(either)
    );
    // With more that is asked, and what one side alone has.
    let more = format!("({either}) AND action = 'ACCEPT' AND dstaddr <> '10.0.0.1'");
    let more_slowly = format!("'{slowly} AND action = 'ACCEPT' AND dstaddr <> '10.0.0.1'");
    assert_eq!(counted("flows", &more), counted("flows", &more_slowly));
    let listed = "remote_addr IN ('45.84.72.193', '203.0.113.77') OR local_addr = '203.0.113.77'";
    assert_eq!(
        counted("flows", listed),
        counted("flows", "concat(remote_addr, '') = '45.84.72.193'")
    );
    // What is nowhere is hardly read: a filter is wrong once in fifty times.
    let nowhere =
        |last: u8| format!("srcaddr = '203.0.113.{last}' OR dstaddr = '203.0.113.{last}'");
    assert_eq!(counted("flows", &nowhere(77))[0][0], "0");
    let ten: usize = (70..80).map(|last| read(&nowhere(last))).sum();
    assert!(ten < all * 3, "{ten} of {}", all * 10);
}

#[test]
fn what_was_given_is_a_table_and_what_was_not_is_told() {
    let session = WORLD.given();
    let ask = |sql: &str| WORLD.ask(&session, sql, Vec::new()).unwrap().rows;
    let remote = "SELECT id FROM guardduty WHERE array_has(remote_addrs, '52.94.36.7') AND last_seen < now()";
    assert_eq!(ask(remote), [["gd-4"]]);
    assert_eq!(ask("SELECT count(*) FROM incidents"), [["0"]]);
    let listed = "SELECT count(*) FROM information_schema.tables WHERE table_name IN ('guardduty', 'findings')";
    assert_eq!(ask(listed), [["2"]]);
    assert!(session.names().contains(&"resource_role".to_owned()));
    let Error::Sql { message, .. } = refused("SELECT * FROM guardduty") else {
        panic!()
    };
    assert!(message.contains("no table `guardduty`"), "{message}");
}
