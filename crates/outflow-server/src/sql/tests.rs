use super::*;

fn commands(sql: &str) -> Vec<Command> {
    let parsed = parse(sql, &Dialect::new()).unwrap_or_else(|problem| panic!("{sql}: {problem:?}"));
    parsed.into_iter().map(|parsed| parsed.command).collect()
}

fn refusal(sql: &str) -> &'static str {
    match parse(sql, &Dialect::new()) {
        Err(problem) => problem.code,
        Ok(parsed) => panic!("{sql}: {parsed:?}"),
    }
}

#[test]
fn what_writes_is_refused() {
    for sql in [
        "INSERT INTO flows VALUES (1)",
        "UPDATE flows SET bytes = 0",
        "DELETE FROM flows",
        "CREATE TABLE t (a int)",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE flows",
        "TRUNCATE flows",
        "COPY flows FROM STDIN",
        "SELECT * INTO t FROM flows",
        "SELECT * FROM flows FOR UPDATE",
        "WITH x AS (INSERT INTO flows VALUES (1) RETURNING 1) SELECT * FROM x",
        "WITH x AS (SELECT 1) INSERT INTO flows SELECT * FROM x",
        "EXPLAIN INSERT INTO flows VALUES (1)",
        "EXPLAIN ANALYZE DELETE FROM flows",
        "VACUUM",
        "GRANT SELECT ON flows TO ana",
        "ALTER TABLE flows ADD COLUMN x int",
    ] {
        assert_eq!(refusal(sql), sqlstate::READ_ONLY_SQL_TRANSACTION, "{sql}");
    }
}

#[test]
fn statements_are_taken_apart() {
    let told = commands("BEGIN; SELECT ';' -- ; none\n; ; COMMIT;");
    assert!(matches!(
        told.as_slice(),
        [Command::Begin, Command::Query(_), Command::Commit]
    ));
    assert!(commands(" ;; -- nothing\n").is_empty());
    let parsed = parse("SELECT $2, $1 LIMIT $3", &Dialect::new()).unwrap();
    assert_eq!(parsed[0].places, 3);
    assert_eq!(refusal("SELECT $0"), sqlstate::UNDEFINED_PARAMETER);
}

#[test]
fn settings_are_set_and_shown() {
    let set = |sql: &str| match commands(sql).pop() {
        Some(Command::Set { name, value }) => (name, value),
        other => panic!("{sql}: {other:?}"),
    };
    let is = |sql, name: &str, value: Option<&str>| {
        assert_eq!(set(sql), (name.into(), value.map(str::to_owned)));
    };
    is(
        "SET statement_timeout = '5s'",
        "statement_timeout",
        Some("5s"),
    );
    is(
        "SET SESSION Extra_Float_Digits TO 3",
        "extra_float_digits",
        Some("3"),
    );
    is("SET TIME ZONE 'UTC'", "timezone", Some("UTC"));
    is("SET search_path TO a, b", "search_path", Some("a, b"));
    is("SET application_name TO DEFAULT", "application_name", None);
    is("RESET application_name", "application_name", None);
    is("SET NAMES 'utf8'", "client_encoding", Some("utf8"));
    let shown = |sql: &str| match commands(sql).pop() {
        Some(Command::Show(name)) => name,
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(shown("SHOW ALL"), None);
    assert_eq!(
        shown("SHOW TRANSACTION ISOLATION LEVEL").as_deref(),
        Some("transaction_isolation")
    );
    assert_eq!(
        shown("SHOW server_version").as_deref(),
        Some("server_version")
    );
}

#[test]
fn cursors_go_forward() {
    let Some(Command::Declare { cursor, hold, .. }) =
        commands("DECLARE \"My c\" NO SCROLL CURSOR FOR SELECT 1").pop()
    else {
        panic!("it is declared");
    };
    assert_eq!((cursor.as_str(), hold), ("My c", false));
    let rows = |sql: &str| match commands(sql).pop() {
        Some(Command::Fetch { rows, .. }) => rows,
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(rows("FETCH FORWARD 100 FROM c"), Fetched::Rows(100));
    assert_eq!(rows("FETCH ALL FROM c"), Fetched::All);
    assert_eq!(rows("FETCH NEXT FROM c"), Fetched::Rows(1));
    assert_eq!(
        refusal("FETCH BACKWARD 1 FROM c"),
        sqlstate::FEATURE_NOT_SUPPORTED
    );
}

#[test]
fn rows_are_copied_as_asked() {
    let line = |sql: &str, fields: [Option<&str>; 3]| {
        let Some(Command::Copy { options, .. }) = commands(sql).pop() else {
            panic!("{sql} copies");
        };
        let mut out = Vec::new();
        options.write(
            fields.iter().map(|field| field.map(str::as_bytes)),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    };
    let fields = [Some("a\tb\\"), None, Some("x,\"y\"")];
    let text = line("COPY (SELECT 1) TO STDOUT", fields);
    assert_eq!(text, "a\\tb\\\\\t\\N\tx,\"y\"\n");
    let csv = line("COPY (SELECT 1) TO STDOUT (FORMAT csv, HEADER)", fields);
    assert_eq!(csv, "a\tb\\,,\"x,\"\"y\"\"\"\n");
    let semicolons = line(
        "COPY flows TO STDOUT WITH CSV DELIMITER ';' NULL '-'",
        fields,
    );
    assert!(semicolons.ends_with(";-;\"x,\"\"y\"\"\"\n"), "{semicolons}");
    // What is empty is told apart from what is not there.
    assert_eq!(
        line("COPY flows TO STDOUT (FORMAT csv)", [Some(""), None, None]),
        "\"\",,\n"
    );
    assert_eq!(
        refusal("COPY flows TO '/tmp/x'"),
        sqlstate::FEATURE_NOT_SUPPORTED
    );
    assert_eq!(
        refusal("COPY flows TO STDOUT (FORMAT csv, DELIMITER '\"')"),
        sqlstate::INVALID_PARAMETER_VALUE
    );
}

#[test]
fn a_wrong_word_is_pointed_at() {
    let problem = parse("SELECT 1;\nSELEC 2", &Dialect::new()).unwrap_err();
    assert_eq!(problem.code, sqlstate::SYNTAX_ERROR);
    let spot = problem.spot.unwrap();
    assert_eq!((spot.line, spot.column), (2, 1));
    assert_eq!(position("é\nabc", 2, 2), Some(4));
    assert_eq!(refusal("SELECT 'abc"), sqlstate::SYNTAX_ERROR);
    let long = format!("SELECT 1{}", " + 1".repeat(2_000));
    assert_eq!(refusal(&long), sqlstate::PROGRAM_LIMIT_EXCEEDED);
}
