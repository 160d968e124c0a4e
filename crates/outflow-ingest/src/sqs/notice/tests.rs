use super::*;

fn own(name: &str, key: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"{name}","s3":{{"s3SchemaVersion":"1.0","bucket":{{"name":"logs","arn":"arn:aws:s3:::logs"}},"object":{{"key":"{key}","size":1024,"eTag":"0a1b","sequencer":"0055AED6DCD90281E5"}}}}}}]}}"#
    )
}

fn object(key: &str) -> Announced {
    Announced {
        bucket: "logs".to_owned(),
        key: key.to_owned(),
        size: Some(1024),
        etag: Some("0a1b".to_owned()),
    }
}

#[test]
fn a_bucket_s_own_events_have_encoded_keys() {
    for (key, decoded) in [
        (
            "AWSLogs/1/vpcflowlogs/a.log.gz",
            "AWSLogs/1/vpcflowlogs/a.log.gz",
        ),
        (
            "a%2Fb/aws-region%3Deu-west-1/x.parquet",
            "a/b/aws-region=eu-west-1/x.parquet",
        ),
        ("with+space/%2B/%C3%A4.log", "with space/+/ä.log"),
    ] {
        assert_eq!(
            announced(&own("ObjectCreated:Put", key)),
            Ok(vec![object(decoded)])
        );
    }
    let completed = own("ObjectCreated:CompleteMultipartUpload", "a");
    assert_eq!(announced(&completed), Ok(vec![object("a")]));
}

#[test]
fn eventbridge_has_keys_as_they_are() {
    let event = r#"{"version":"0","id":"17793124","detail-type":"Object Created","source":"aws.s3","account":"111122223333",
        "detail":{"version":"0","bucket":{"name":"logs"},"object":{"key":"a+b%20c.log","size":1024,"etag":"0a1b"},"reason":"PutObject"}}"#;
    assert_eq!(announced(event), Ok(vec![object("a+b%20c.log")]));
    let deleted = event.replace("Object Created", "Object Deleted");
    assert_eq!(announced(&deleted), Ok(Vec::new()));
}

#[test]
fn sns_wraps_either() {
    let inner = serde_json::to_string(&own("ObjectCreated:Put", "a")).unwrap();
    let once = format!(r#"{{"Type":"Notification","TopicArn":"arn:aws:sns:1","Message":{inner}}}"#);
    assert_eq!(announced(&once), Ok(vec![object("a")]));
    let mut deep = once;
    for _ in 0..5 {
        let inner = serde_json::to_string(&deep).unwrap();
        deep = format!(r#"{{"Message":{inner}}}"#);
    }
    assert_eq!(announced(&deep), Err(NoticeError::NoEvent));
}

#[test]
fn what_puts_nothing_announces_nothing() {
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"logs"}"#;
    assert_eq!(announced(test), Ok(Vec::new()));
    assert_eq!(announced(&own("ObjectRemoved:Delete", "a")), Ok(Vec::new()));
    assert_eq!(announced(r#"{"Records":[]}"#), Ok(Vec::new()));
}

#[test]
fn what_is_no_event_says_why() {
    for (body, reason) in [
        ("", "it is no JSON"),
        ("hello", "it is no JSON"),
        ("[]", "it is no JSON"),
        ("{}", "it is no event of S3"),
        (r#"{"Event":"other"}"#, "it is no event of S3"),
        (
            r#"{"source":"aws.ec2","detail":{}}"#,
            "it is no event of S3",
        ),
        (
            r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#,
            "an event in it names no object",
        ),
        (
            r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"a"}}}]}"#,
            "an event in it names no bucket",
        ),
        (
            r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{}}}]}"#,
            "an event in it names no key",
        ),
        (
            &own("ObjectCreated:Put", "a%zz"),
            "the key `a%zz` is not encoded",
        ),
        (
            &own("ObjectCreated:Put", "a%2"),
            "the key `a%2` is not encoded",
        ),
        (
            &own("ObjectCreated:Put", "%ff"),
            "the key `%ff` is not encoded",
        ),
    ] {
        let error = announced(body).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{body}: {error}");
    }
    let many = r#"{"eventName":"ObjectCreated:Put"},"#.repeat(ANNOUNCED_MAX);
    let many = format!(r#"{{"Records":[{many}{{}}]}}"#);
    assert_eq!(announced(&many), Err(NoticeError::TooMany));
}
