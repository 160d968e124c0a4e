use super::*;
use crate::stub::{Play, Stub, Told};

async fn send(stub: &Stub) -> Result<Answer, Failed> {
    let request = http::Request::post(format!("{}/x", stub.url()));
    let http = Http::new(Arc::new(Told::default()), Duration::from_secs(3));
    http.send(request.body("{}".to_owned()).unwrap()).await
}

async fn failed(play: Play) -> Failed {
    let stub = Stub::start(&[play]);
    let mut answer = match send(&stub).await {
        Ok(answer) => answer,
        Err(failed) => return failed,
    };
    let said = answer.beginning().await;
    answer.failed(&Told::default(), &said)
}

async fn text(play: Play) -> Result<String, Failed> {
    send(&Stub::start(&[play]))
        .await?
        .text(ANSWER_BYTES_MAX)
        .await
}

fn passing(failed: Failed) -> (String, Option<u64>) {
    match failed {
        Failed::Passing { reason, after } => (reason, after.map(|after| after.as_secs())),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn statuses_say_whether_to_try_again() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        passing(failed(Play::status(status)).await);
    }
    for status in [301, 302, 307, 400, 401, 403, 404, 410, 501] {
        let failed = failed(Play::status(status)).await;
        assert!(matches!(failed, Failed::Lasting(_)), "{status}: {failed:?}");
    }
    assert!(matches!(
        failed(Play::status(413)).await,
        Failed::TooLarge(_)
    ));
    let busy = Play::Answer(503, "retry-after: 7\r\n", "busy\n".to_owned());
    let (reason, after) = passing(failed(busy).await);
    assert_eq!(after, Some(7));
    assert_eq!(reason, "it answered 503 Service Unavailable: busy");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let failed = tokio::time::timeout(Duration::from_secs(60), failed(Play::Silent)).await;
    let (reason, _) = passing(failed.unwrap());
    assert_eq!(reason, "it did not answer within 3 s");
}

#[tokio::test]
async fn connections_that_break_are_tried_again() {
    passing(failed(Play::Close).await);
    let gone = Stub::start(&[Play::Close]).url();
    let request = http::Request::post(gone).body(String::new()).unwrap();
    let http = Http::new(Arc::new(Told::default()), Duration::from_secs(3));
    passing(http.send(request).await.unwrap_err());
}

#[tokio::test]
async fn bodies_are_read_within_bounds() {
    assert_eq!(text(Play::body("{}")).await.unwrap(), "{}");
    let (reason, _) = passing(text(Play::Endless(200)).await.unwrap_err());
    assert_eq!(reason, "it answered more than 1048576 bytes");
    let huge = Play::body(&"x".repeat(ANSWER_BYTES_MAX + 1));
    passing(text(huge).await.unwrap_err());
    let (reason, _) = passing(text(Play::Half(200)).await.unwrap_err());
    assert_eq!(reason, "it did not answer within 3 s");
    let (reason, _) = passing(failed(Play::Endless(500)).await);
    assert!(reason.len() < 5_000, "{}", reason.len());
}
