use std::fs;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use outflow_finding::{Family, Severity};

use super::*;
use crate::fixtures::{item, item_of, run};
use crate::stub::{Play, Stub, Told};

/// A deliverer, and the machine it waits on.
fn open(target: &str, options: Options) -> (Deliverer, Arc<Told>) {
    let host = Arc::new(Told {
        variables: [("S".to_owned(), "0123456789abcdef".to_owned())].into(),
        ..Told::default()
    });
    let options = Options {
        host: Arc::clone(&host) as Arc<dyn Host>,
        ..options
    };
    let http = Http::new(Arc::clone(&options.host), Duration::from_secs(3));
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    let url = options
        .endpoint_url
        .as_deref()
        .map(|url| endpoint(url).unwrap());
    let aws = Aws::new(http.clone(), provider, None, url.as_ref());
    let targets = vec![target.parse().unwrap()];
    let aws = Some(Arc::new(aws));
    (
        Deliverer::with(targets, options, &http, aws.as_ref()).unwrap(),
        host,
    )
}

async fn deliver(deliverer: &Deliverer, items: &[Item]) -> Report {
    deliverer.deliver(&run(), items).await.remove(0)
}

fn counts(report: &Report) -> (u64, usize, u64) {
    (report.delivered, report.failed.len(), report.attempts)
}

fn at(stub: &Stub) -> Options {
    Options {
        endpoint_url: Some(stub.url()),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_webhook_gets_signed_arrays() {
    let stub = Stub::start(&[Play::status(204)]);
    let target = format!("{}/hook?token=1#secret=env:S", stub.url());
    let (deliverer, _) = open(&target, Options::default());
    let report = deliver(&deliverer, &[item("in-1"), item("in-2")]).await;
    assert_eq!(counts(&report), (2, 0, 1));
    let asked = &stub.asked()[0];
    assert_eq!(asked.line, "POST /hook?token=1 HTTP/1.1");
    assert_eq!(asked.body, r#"[{"id":"in-1"},{"id":"in-2"}]"#);
    let expected = Secret::read(
        deliverer.ready[0].target.secret.as_ref().unwrap(),
        &*deliverer.host,
    );
    let expected = expected.unwrap().sign(1_790_000_000, &asked.body);
    assert_eq!(asked.headers["x-outflow-signature"], expected);
    assert_eq!(asked.headers["x-outflow-format"], "json");
    assert_eq!(asked.headers["content-type"], "application/json");
}

#[tokio::test]
async fn what_may_still_arrive_is_tried_again_as_the_same_delivery() {
    let busy = Play::Answer(429, "retry-after: 20\r\n", String::new());
    let stub = Stub::start(&[Play::Close, Play::status(503), busy, Play::Endless(200)]);
    let (deliverer, host) = open(&format!("{}#secret=env:S", stub.url()), Options::default());
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!(counts(&report), (1, 0, 4));
    let waits: Vec<u128> = host
        .waits
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_millis)
        .collect();
    assert_eq!(waits, [375, 750, 20_000]);
    let asked = stub.asked();
    let header = |name: &str| {
        let values = asked.iter().map(|asked| asked.headers[name].clone());
        values.collect::<BTreeSet<String>>().len()
    };
    assert_eq!(header("x-outflow-delivery"), 1);
    assert!(
        header("x-outflow-signature") > 1,
        "each attempt is signed at its time"
    );
}

#[tokio::test]
async fn what_cannot_arrive_is_not_tried_again() {
    let stub = Stub::start(&[Play::Answer(403, "", "no\u{1b}[31m\n".to_owned())]);
    let (deliverer, _) = open(&stub.url(), Options::default());
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!(counts(&report), (0, 1, 1));
    // What a server says moves no cursor.
    assert_eq!(
        report.failed[0].reason,
        "it answered 403 Forbidden: no\\u{1b}[31m"
    );
    assert_eq!((report.dead_lettered, report.lost()), (0, 1));
}

#[tokio::test]
async fn attempts_and_time_are_bounded() {
    let stub = Stub::start(&[Play::status(500)]);
    let (deliverer, _) = open(&stub.url(), Options::default());
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!(counts(&report), (0, 1, u64::from(ATTEMPTS_MAX)));
    assert!(report.failed[0].reason.ends_with("(8 attempts)"));

    let patience = Duration::from_secs(5);
    let options = Options {
        patience,
        ..Options::default()
    };
    let (deliverer, host) = open(&stub.url(), options);
    let items: Vec<Item> = (0..250).map(|at| item(&format!("{at}"))).collect();
    let report = deliver(&deliverer, &items).await;
    assert_eq!((report.delivered, report.failed.len()), (0, 250));
    assert!(host.waits.lock().unwrap().iter().sum::<Duration>() < patience);
    assert!(report.attempts <= 12, "{}", report.attempts);
}

#[tokio::test]
async fn a_wait_beyond_all_patience_is_not_begun() {
    for asked in [
        "retry-after: 301\r\n",
        "retry-after: 18446744073709551615\r\n",
    ] {
        let stub = Stub::start(&[Play::Answer(503, asked, String::new())]);
        let (deliverer, host) = open(&stub.url(), Options::default());
        let report = deliver(&deliverer, &[item("in-1")]).await;
        assert_eq!(counts(&report), (0, 1, 1));
        assert!(host.waits.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Stub::start(&[Play::status(200)]);
    let location: &'static str = format!("location: {}/\r\n", other.url()).leak();
    for status in [301, 302, 307, 308] {
        let stub = Stub::start(&[Play::Answer(status, location, String::new())]);
        let (deliverer, _) = open(&format!("{}#secret=env:S", stub.url()), Options::default());
        let report = deliver(&deliverer, &[item("in-1")]).await;
        assert_eq!(counts(&report), (0, 1, 1));
        assert!(
            report.failed[0]
                .reason
                .ends_with("redirects are not followed")
        );
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_the_item_is_found() {
    let (large, fine) = (Play::status(413), Play::status(200));
    let plays = [large.clone(), large.clone(), fine.clone(), large, fine];
    let stub = Stub::start(&plays);
    let (deliverer, _) = open(&stub.url(), Options::default());
    let items = ["a", "b", "c", "d"].map(item);
    let report = deliver(&deliverer, &items).await;
    // abcd, ab, a, b (too large alone), cd.
    assert_eq!(counts(&report), (3, 1, 5));
    assert_eq!(report.failed[0].id, "b");
}

#[tokio::test]
async fn oversize_items_are_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join("dead.jsonl");
    let stub = Stub::start(&[Play::status(200)]);
    let options = Options {
        dead_letters: Some(dead.clone()),
        ..Options::default()
    };
    let (deliverer, _) = open(&stub.url(), options);
    let huge = item_of("huge", &format!("\"{}\"", "x".repeat(1 << 20)));
    let report = deliver(&deliverer, &[huge, item("in-1")]).await;
    assert_eq!(counts(&report), (1, 1, 1));
    assert_eq!((report.dead_lettered, report.lost()), (1, 0));
    let reason = "it has 1048579 bytes, and the target takes 1048575 at most";
    assert_eq!(report.failed[0].reason, reason);
    assert!(fs::read_to_string(dead).unwrap().contains(reason));
}

#[tokio::test]
async fn dead_letters_are_delivered_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join("dead.jsonl");
    let stub = Stub::start(&[Play::status(400), Play::status(400), Play::status(200)]);
    let options = Options {
        dead_letters: Some(dead.clone()),
        ..Options::default()
    };
    let (deliverer, _) = open(&format!("{}#severity=low", stub.url()), options);
    let report = deliver(&deliverer, &[item("in-1"), item("in-2")]).await;
    assert_eq!(
        (report.failed.len(), report.dead_lettered, report.lost()),
        (2, 2, 0)
    );

    let again = deliverer.redeliver(&dead).await.unwrap();
    assert_eq!(counts(&again.reports[0]), (0, 2, 1)); // The second 400.
    assert_eq!(again.reports[0].lost(), 0);
    let again = deliverer.redeliver(&dead).await.unwrap();
    assert_eq!(counts(&again.reports[0]), (2, 0, 1));
    let bodies = stub.bodies();
    assert_eq!(bodies[0], bodies[2]);
    let again = deliverer.redeliver(&dead).await.unwrap();
    assert_eq!(again, Redelivery::default());

    let (other, _) = open("elsewhere.jsonl", Options::default());
    fs::write(
        &dead,
        fs::read_to_string(&dead).unwrap().lines().next().unwrap(),
    )
    .unwrap();
    assert_eq!(other.redeliver(&dead).await.unwrap().of_others, 1);
}

#[tokio::test]
async fn dead_letters_that_cannot_be_kept_are_told() {
    let stub = Stub::start(&[Play::status(400)]);
    let options = Options {
        dead_letters: Some("/no/such/folder/dead.jsonl".into()),
        ..Options::default()
    };
    let (deliverer, _) = open(&stub.url(), options);
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!((report.dead_lettered, report.lost()), (0, 1));
    assert!(
        report
            .unkept
            .unwrap()
            .starts_with("could not use `/no/such")
    );
}

#[tokio::test]
async fn only_the_messages_that_failed_are_sent_again() {
    let first = r#"{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","SenderFault":false,"Code":"InternalError"},{"Id":"2","SenderFault":true,"Code":"Bad"}]}"#;
    let second = r#"{"Successful":[{"Id":"0"}]}"#;
    let stub = Stub::start(&[Play::body(first), Play::body(second)]);
    let (deliverer, _) = open("arn:aws:sqs:eu-west-1:123456789012:a.fifo", at(&stub));
    let report = deliver(&deliverer, &["a", "b", "c"].map(item)).await;
    assert_eq!(counts(&report), (2, 1, 2));
    assert_eq!(report.failed[0].id, "c");
    let sent: Vec<serde_json::Value> = stub
        .bodies()
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    assert_eq!(sent[0]["Entries"].as_array().unwrap().len(), 3);
    let again = &sent[1]["Entries"];
    assert_eq!(again.as_array().unwrap().len(), 1);
    assert_eq!(again[0]["MessageBody"], r#"{"id":"b"}"#);
    assert_eq!(again[0]["MessageGroupId"], "outflow");
    assert_eq!(
        again[0]["MessageDeduplicationId"],
        sent[0]["Entries"][1]["MessageDeduplicationId"]
    );
    assert_eq!(
        again[0]["MessageAttributes"]["severity"]["StringValue"],
        "high"
    );
}

#[tokio::test]
async fn a_queue_gets_ten_messages_at_once() {
    let ids: Vec<String> = (0..10).map(|id| format!(r#"{{"Id":"{id}"}}"#)).collect();
    let stub = Stub::start(&[Play::body(&format!(
        r#"{{"Successful":[{}]}}"#,
        ids.join(",")
    ))]);
    let (deliverer, _) = open("arn:aws:sqs:eu-west-1:123456789012:a", at(&stub));
    let items: Vec<Item> = (0..25).map(|at| item(&format!("in-{at}"))).collect();
    let report = deliver(&deliverer, &items).await;
    assert_eq!(counts(&report), (25, 0, 3));
}

#[tokio::test]
async fn an_object_that_is_there_is_delivered() {
    let stub = Stub::start(&[Play::status(409), Play::status(412)]);
    let (deliverer, _) = open("s3://findings/a b/", at(&stub));
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!(counts(&report), (1, 0, 2));
    let asked = &stub.asked()[1];
    let key = "date=2026-09-21/run-1-4e7988d2ddda3294.json.jsonl".replace('=', "%3D");
    assert_eq!(asked.line, format!("PUT /findings/a%20b/{key} HTTP/1.1"));
    assert_eq!(asked.headers["if-none-match"], "*");
    assert_eq!(asked.body, "{\"id\":\"in-1\"}\n");
}

#[tokio::test]
async fn a_bucket_elsewhere_is_told() {
    let elsewhere = Play::Answer(301, "x-amz-bucket-region: eu-west-1\r\n", String::new());
    let stub = Stub::start(&[elsewhere]);
    let (deliverer, _) = open("s3://findings/", at(&stub));
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!(
        report.failed[0].reason,
        "the bucket is in eu-west-1, not in us-east-1"
    );
}

#[tokio::test]
async fn each_region_of_security_hub_gets_its_findings() {
    let stub = Stub::start(&[Play::body(r#"{"FailedCount":0,"SuccessCount":1}"#)]);
    let (deliverer, _) = open("securityhub:", at(&stub));
    let finding = |id: &str, region: &str| {
        let arn = format!("arn:aws:securityhub:{region}:123456789012:product/123456789012/default");
        let body = format!(r#"{{"Id":"{id}","ProductArn":"{arn}"}}"#);
        Item::new(id, Severity::High, [Family::Beacon], Format::Asff, &body).unwrap()
    };
    let items = [
        finding("a", "us-east-1"),
        finding("b", "eu-west-1"),
        finding("c", "us-east-1"),
    ];
    let report = deliver(&deliverer, &items).await;
    assert_eq!(counts(&report), (3, 0, 2));
    let asked = stub.asked();
    assert_eq!(asked[0].line, "POST /findings/import HTTP/1.1");
    assert!(asked[0].headers["authorization"].contains("/eu-west-1/securityhub/"));
    assert!(asked[1].headers["authorization"].contains("/us-east-1/securityhub/"));
    assert!(asked[1].body.contains(r#""Id":"a""#) && asked[1].body.contains(r#""Id":"c""#));
}

#[tokio::test]
async fn a_topic_gets_a_form_for_each_message() {
    let stub = Stub::start(&[Play::body("<PublishResponse/>")]);
    let (deliverer, _) = open(
        "arn:aws:sns:eu-west-1:123456789012:a.fifo#group=soc",
        at(&stub),
    );
    let report = deliver(&deliverer, &[item("in-1"), item("in-2")]).await;
    assert_eq!(counts(&report), (2, 0, 2));
    let form = &stub.bodies()[0];
    for part in [
        "Action=Publish&Version=2010-03-31",
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aa.fifo",
        "&Message=%7B%22id%22%3A%22in-1%22%7D",
        "&MessageGroupId=soc&MessageDeduplicationId=",
    ] {
        assert!(form.contains(part), "{form}");
    }
}

#[tokio::test]
async fn files_grow_and_folders_get_objects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let (deliverer, _) = open(path.to_str().unwrap(), Options::default());
    for id in ["in-1", "in-2"] {
        let report = deliver(&deliverer, &[item(id)]).await;
        assert_eq!(counts(&report), (1, 0, 1));
    }
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        "{\"id\":\"in-1\"}\n{\"id\":\"in-2\"}\n"
    );

    let (deliverer, _) = open(folder.path().to_str().unwrap(), Options::default());
    for _ in 0..2 {
        let report = deliver(&deliverer, &[item("in-1")]).await;
        assert_eq!(counts(&report), (1, 0, 1));
    }
    let objects = fs::read_dir(folder.path().join("date=2026-09-21")).unwrap();
    assert_eq!(objects.count(), 1);
}

#[tokio::test]
async fn the_same_place_is_not_taken_twice() {
    let targets = ["a#severity=high", "a"].map(|text| text.parse().unwrap());
    let error = Deliverer::open(targets.into(), Options::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Twice { target } if target == "a"));
}

#[tokio::test]
async fn nothing_is_asked_if_nothing_is_for_a_target() {
    let stub = Stub::start(&[Play::status(200)]);
    let (deliverer, _) = open(
        &format!("{}#severity=critical", stub.url()),
        Options::default(),
    );
    let report = deliver(&deliverer, &[item("in-1")]).await;
    assert_eq!((counts(&report), report.passed_over), ((0, 0, 0), 1));
    assert!(stub.asked().is_empty());
}

#[tokio::test]
async fn runs_that_wait_share_the_time_of_their_target() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join("dead.jsonl");
    let stub = Stub::start(&[Play::status(500)]);
    let options = Options {
        dead_letters: Some(dead.clone()),
        patience: Duration::from_secs(5),
        ..Options::default()
    };
    let (deliverer, host) = open(&stub.url(), options);
    for at in 0..3 {
        let run = Run::new("run", Timestamp(at)).unwrap();
        let reports = deliverer.deliver(&run, &[item(&format!("in-{at}"))]).await;
        assert_eq!(reports[0].dead_lettered, 1);
    }
    host.waits.lock().unwrap().clear();
    let again = deliverer.redeliver(&dead).await.unwrap();
    assert_eq!((again.reports.len(), again.reports[0].failed.len()), (1, 3));
    let waited: Duration = host.waits.lock().unwrap().iter().sum();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}
