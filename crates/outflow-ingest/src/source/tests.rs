use super::*;

#[test]
fn a_dash_is_standard_input_and_anything_else_a_path() {
    assert_eq!("-".parse::<Source>().unwrap(), Source::Stdin);
    for text in ["./-", "logs", "s3", "s3:/x", "ä/é"] {
        assert_eq!(text.parse::<Source>().unwrap(), Source::Path(text.into()));
    }
}

#[test]
fn s3_is_a_bucket_and_a_prefix() {
    for (text, bucket, prefix) in [
        ("s3://bucket/a/prefix/", "bucket", "a/prefix/"),
        ("S3://bucket", "bucket", ""),
        ("s3://bucket/", "bucket", ""),
    ] {
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        assert_eq!(
            text.parse::<Source>().unwrap(),
            Source::S3(Place { bucket, prefix })
        );
    }
    for text in ["s3://", "s3:///key"] {
        let error = text.parse::<Source>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` names no bucket"));
        assert!(error.hint().contains("s3://bucket/prefix"));
    }
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let name = OsStr::from_bytes(b"logs-\xff.gz");
    assert_eq!(Source::named(name).unwrap(), Source::Path(name.into()));
    assert_eq!(Source::named(OsStr::new("-")).unwrap(), Source::Stdin);
}
