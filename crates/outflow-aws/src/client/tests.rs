use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::{ProvideCredentials, future};

use super::*;
use crate::Host;
use crate::stub::{NOW_SECS, Play, Stub, Told};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW_SECS)
}

fn credentials() -> Credentials {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    Credentials::new(
        "AKIDEXAMPLE",
        secret,
        Some("token".to_owned()),
        None,
        "test",
    )
}

fn call(url: &str) -> Call<'_> {
    Call {
        service: "sqs",
        region: "eu-west-1",
        method: "POST",
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", "AmazonSQS.SendMessageBatch".to_owned()),
        ],
        body: r#"{"a":1}"#.to_owned(),
        read_too: &[],
    }
}

/// As botocore signs the same requests with the same credentials at the same time.
#[test]
fn signatures_are_those_of_aws() {
    let signature = |call| {
        let request = signed(call, credentials(), now()).unwrap();
        request.headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let sqs = signature(call("https://sqs.eu-west-1.amazonaws.com/"));
    assert_eq!(
        sqs,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260921/eu-west-1/sqs/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
         Signature=236257d0544dc73dbd4e5720aa80d30519b4f1d5a95f865a17857eb540bcfc45"
    );
    let s3 = signature(Call {
        service: "s3",
        method: "PUT",
        headers: vec![("if-none-match", "*".to_owned())],
        body: "{\"a\":1}\n".to_owned(),
        ..call("https://findings.s3.eu-west-1.amazonaws.com/a%20b/date%3D2026-09-21/x.jsonl")
    });
    assert!(
        s3.ends_with("Signature=125252f216aa590a663744020a22333e417aa502042521b76d076ce3b579d3de"),
        "{s3}"
    );
}

/// Gives credentials that end so many seconds after [`NOW_SECS`], and counts.
#[derive(Debug)]
struct Ending(u64, AtomicU64);

impl ProvideCredentials for &'static Ending {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.1.fetch_add(1, Ordering::Relaxed);
        let mut credentials = credentials();
        *credentials.expiry_mut() = Some(now() + Duration::from_secs(self.0));
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

fn aws_with(ending: &'static Ending, host: Arc<Told>) -> Aws {
    Aws::new(
        Http::new(host, Duration::from_secs(3)),
        SharedCredentialsProvider::new(ending),
        None,
        None,
    )
}

#[tokio::test]
async fn credentials_are_fetched_anew_before_they_end() {
    static ENDING: Ending = Ending(600, AtomicU64::new(0));
    let host = Arc::new(Told::default());
    let aws = aws_with(&ENDING, Arc::clone(&host));
    for (waited, fetched) in [(0, 1), (539, 1), (1, 2)] {
        host.sleep(Duration::from_secs(waited)).await;
        aws.credentials().await.unwrap();
        assert_eq!(
            ENDING.1.load(Ordering::Relaxed),
            fetched,
            "after {waited} s more"
        );
    }
}

#[tokio::test]
async fn expired_credentials_are_forgotten() {
    static ENDING: Ending = Ending(600, AtomicU64::new(0));
    let expired = Play::Answer(
        400,
        "",
        r#"{"__type":"com.amazon#ExpiredTokenException"}"#.to_owned(),
    );
    let stub = Stub::start(&[expired, Play::body("{}")]);
    let aws = aws_with(&ENDING, Arc::default());
    let url = format!("{}/", stub.url());
    let failed = aws.send(call(&url)).await.unwrap_err();
    assert!(matches!(failed, Failed::Passing { .. }));
    aws.send(call(&url)).await.unwrap();
    assert_eq!(ENDING.1.load(Ordering::Relaxed), 2);
    let asked = &stub.asked()[1];
    assert!(asked.headers["authorization"].starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_eq!(asked.headers["x-amz-security-token"], "token");
}

#[tokio::test]
async fn codes_say_whether_to_try_again() {
    static ENDING: Ending = Ending(600, AtomicU64::new(0));
    let of = async |headers, body: &str| {
        let stub = Stub::start(&[Play::Answer(400, headers, body.to_owned())]);
        let aws = aws_with(&ENDING, Arc::default());
        aws.send(call(&format!("{}/", stub.url())))
            .await
            .unwrap_err()
    };
    let throttled = [
        ("x-amzn-errortype: ThrottlingException:http://x/\r\n", ""),
        ("", r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#),
        (
            "",
            "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
        ),
    ];
    for (headers, body) in throttled {
        let failed = of(headers, body).await;
        assert!(matches!(failed, Failed::Passing { .. }), "{failed:?}");
    }
    let long = of("", r#"{"__type":"com.amazonaws.sqs#BatchRequestTooLong"}"#).await;
    assert!(matches!(long, Failed::TooLarge(_)));
    let limited = of(
        "",
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
    )
    .await;
    assert!(matches!(limited, Failed::Passing { .. }), "{limited:?}");
    for body in [
        "<R><Error><Code>SignatureDoesNotMatch</Code><Message>x-amz-security-token:token</Message></Error></R>",
        r#"{"__type":"InvalidSignatureException","message":"x-amz-security-token:token"}"#,
    ] {
        let Failed::Lasting(said) = of("", body).await else {
            panic!("{body}");
        };
        assert!(
            said.contains("Signature") && !said.contains("token"),
            "{said}"
        );
    }
    let missing = of("", r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#).await;
    assert!(matches!(missing, Failed::Lasting(reason) if reason.contains("QueueDoesNotExist")));
}

#[test]
fn each_partition_has_its_domain() {
    assert_eq!(domain("cn-north-1"), "amazonaws.com.cn");
    assert_eq!(domain("us-gov-west-1"), "amazonaws.com");
    assert_eq!(domain("eusc-de-east-1"), "amazonaws.eu");
}
