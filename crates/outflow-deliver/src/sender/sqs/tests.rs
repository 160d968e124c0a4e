use super::*;
use crate::fixtures::item;

#[test]
fn each_message_has_an_answer_of_its_own() {
    let items = [item("a"), item("b"), item("c"), item("d")];
    let sent: Vec<(usize, &Item)> = items.iter().enumerate().collect();
    let answer = r#"{
        "Successful": [{"Id": "0", "MessageId": "x", "MD5OfMessageBody": "y"}],
        "Failed": [
            {"Id": "1", "SenderFault": true, "Code": "InvalidMessageContents", "Message": "no"},
            {"Id": "2", "SenderFault": false, "Code": "InternalError"}
        ]
    }"#;
    let failed = unaccepted(answer, &sent).unwrap();
    let places: Vec<usize> = failed.iter().map(|(at, _)| *at).collect();
    assert_eq!(places, [1, 2, 3]);
    assert_eq!(
        failed[0].1,
        Failed::Lasting("SQS refused it: InvalidMessageContents no".to_owned())
    );
    assert_eq!(
        failed[1].1,
        Failed::passing("SQS refused it: InternalError ")
    );
    assert_eq!(
        failed[2].1,
        Failed::passing("SQS did not say what became of it")
    );
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    for answer in ["", "1", "<html>", r#"{"Successful": 1}"#] {
        let failed = unaccepted(answer, &[]).unwrap_err();
        assert!(matches!(failed, Failed::Passing { .. }), "{answer}");
    }
}
