use super::*;

#[test]
fn a_dash_is_standard_input_and_anything_else_a_path() {
    assert_eq!("-".parse::<Source>().unwrap(), Source::Stdin);
    for text in ["./-", "logs", "s3", "s3:/x", "ä/é"] {
        assert_eq!(text.parse::<Source>().unwrap(), Source::Path(text.into()));
    }
}

#[test]
fn s3_is_refused_with_the_command_that_helps() {
    for text in ["s3://bucket/prefix", "S3://bucket"] {
        let error = text.parse::<Source>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{text}` is in S3, which is not read yet")
        );
        assert!(
            error
                .hint()
                .contains(&format!("aws s3 sync {text} ./flow-logs"))
        );
    }
}
