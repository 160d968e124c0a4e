use std::fs;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::json;

use super::*;
use crate::stub::{Asked, Play, Stub, Told};

/// What an EC2 answers that has nothing; `own` answers first.
fn start(
    own: impl Fn(&Asked, &BTreeMap<String, String>) -> Option<Play> + Send + Sync + 'static,
) -> Stub {
    Stub::answering(move |asked, _| {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
            .into_owned()
            .collect();
        own(asked, &form).unwrap_or_else(|| empty(asked, &form))
    })
}

fn empty(asked: &Asked, form: &BTreeMap<String, String>) -> Play {
    let Some(action) = form.get("Action") else {
        let line = &asked.line;
        return Play::body(if line.contains("/detector?") {
            r#"{"detectorIds": []}"#
        } else {
            "{}"
        });
    };
    if action == "GetCallerIdentity" {
        let account = match asked.headers["authorization"].contains("AKIDROLE") {
            true => "444455556666",
            false => "111122223333",
        };
        return Play::body(&format!(
            "<R><GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult></R>"
        ));
    }
    let all = EC2_LISTINGS.iter();
    let all = all.chain([&PREFIX_LISTS, &MANAGED_PREFIX_LISTS, &PREFIX_LIST_ENTRIES]);
    let set = all
        .filter(|of| of.call == action)
        .map(|of| of.set)
        .next()
        .unwrap();
    Play::body(&format!("<R><{set}/></R>"))
}

async fn collect_from(
    stub: &Stub,
    options: Options,
) -> (tempfile::TempDir, Vec<Written>, Arc<Told>) {
    let out = tempfile::tempdir().unwrap();
    let host = Arc::new(Told::default());
    let options = Options {
        host: Arc::clone(&host) as Arc<dyn Host>,
        ..options
    };
    let http = Http::new(Arc::clone(&options.host), Duration::from_secs(20));
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let url = Url::parse(&stub.url()).unwrap();
    let provider = SharedCredentialsProvider::new(credentials);
    let own = Aws::new(
        http.clone(),
        provider,
        Some("eu-west-1".to_owned()),
        Some(&url),
    );
    let written = collect_with(out.path(), &options, &http, own)
        .await
        .unwrap();
    (out, written, host)
}

fn call<'a>(written: &'a Written, name: &str) -> &'a CollectedCall {
    let mut calls = written.collected.calls.iter();
    calls.find(|call| call.call == name).unwrap()
}

fn read(written: &Written, file: &str) -> Value {
    serde_json::from_slice(&fs::read(written.path.join(file)).unwrap()).unwrap()
}

#[tokio::test]
async fn pages_are_joined_and_an_empty_account_is_whole() {
    let stub = start(|_, form| {
        if form.get("Action")? != "DescribeVpcs" {
            return None;
        }
        let page = match form.get("NextToken").map(String::as_str) {
            None => {
                "<item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet><nextToken>a&amp;b"
            }
            Some("a&b") => "<item><vpcId>vpc-2</vpcId><tagSet/></item></vpcSet><nextToken>",
            Some(other) => panic!("{other}"),
        };
        Some(Play::body(&format!("<R><vpcSet>{page}</nextToken></R>")))
    });
    let options = Options {
        page_items_max: Some(5),
        ..Options::default()
    };
    let (out, written, _) = collect_from(&stub, options).await;
    let [written] = &written[..] else {
        panic!("{written:?}");
    };
    assert!(
        written
            .path
            .starts_with(out.path().join("111122223333/eu-west-1"))
    );
    let vpcs = read(written, "vpcs.json");
    let expected =
        json!({"Vpcs": [{"VpcId": "vpc-1", "IsDefault": true}, {"VpcId": "vpc-2", "Tags": []}]});
    assert_eq!(vpcs, expected);
    assert_eq!(
        (
            call(written, "DescribeVpcs").pages,
            call(written, "DescribeVpcs").items
        ),
        (2, 2)
    );
    let bad: Vec<_> = written.unanswered().collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert_eq!(
        read(written, "guardduty-findings.json"),
        json!({"Findings": []})
    );
    let asked = stub.asked();
    let ec2 = asked
        .iter()
        .find(|asked| asked.body.contains("DescribeVpcs"))
        .unwrap();
    assert!(ec2.body.contains("MaxResults=5&") || ec2.body.ends_with("MaxResults=5"));
    assert!(ec2.headers["authorization"].contains("/eu-west-1/ec2/aws4_request"));
}

#[tokio::test]
async fn what_is_denied_fails_or_breaks_off_is_unknown() {
    let refusal = |code: &str| {
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>no\nway</Message></Error></Errors></Response>"
        )
    };
    let stub = start(move |asked, form| {
        let action = form.get("Action").map(String::as_str);
        let target = asked.headers.get("x-amz-target").map(String::as_str);
        Some(match (action, target) {
            (Some("DescribeFlowLogs"), _) => {
                Play::Answer(403, "", refusal("UnauthorizedOperation"))
            }
            (Some("DescribeNatGateways"), _) => Play::Answer(400, "", refusal("InvalidAction")),
            (Some("DescribeSubnets"), _) if form.contains_key("NextToken") => {
                Play::Answer(400, "", refusal("InvalidParameterValue"))
            }
            (Some("DescribeSubnets"), _) => Play::body(
                "<R><subnetSet><item><subnetId>subnet-1</subnetId></item></subnetSet><nextToken>2</nextToken></R>",
            ),
            (Some("DescribeVpcs"), _) => Play::body("<html>"),
            (Some("DescribeInstances"), _) => Play::body("<R><requestId>1</requestId></R>"),
            (_, Some("Route53Resolver.ListFirewallRuleGroupAssociations")) => {
                Play::Answer(400, "", r#"{"__type": "AccessDeniedException"}"#.to_owned())
            }
            _ => return None,
        })
    });
    let (_out, written, _) = collect_from(&stub, Options::default()).await;
    let written = &written[0];
    for (name, state, file) in [
        ("DescribeFlowLogs", CallState::Denied, None),
        ("DescribeNatGateways", CallState::NotOffered, None),
        ("DescribeSubnets", CallState::Partial, Some("subnets.json")),
        ("DescribeVpcs", CallState::Failed, None),
        ("DescribeInstances", CallState::Failed, None),
        ("ListFirewallRuleGroupAssociations", CallState::Denied, None),
        (
            "DescribeSecurityGroups",
            CallState::Ok,
            Some("security-groups.json"),
        ),
    ] {
        let call = call(written, name);
        assert_eq!(
            (call.state, call.file.as_deref()),
            (state, file),
            "{call:?}"
        );
        assert_eq!(call.reason.is_some(), state != CallState::Ok);
    }
    let denied = call(written, "DescribeFlowLogs").reason.as_deref().unwrap();
    assert!(
        denied.contains("UnauthorizedOperation") && !denied.contains('\n'),
        "{denied}"
    );
    assert_eq!(written.unanswered().count(), 5);
    assert!(!written.path.join("flow-logs.json").exists());
}

#[tokio::test]
async fn throttled_calls_are_made_again_and_not_for_ever() {
    let stub = start(|asked, form| match form.get("Action").map(String::as_str) {
        Some("DescribeVpcs") => {
            let limited = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>";
            Some(Play::Answer(503, "", limited.to_owned()))
        }
        None if asked.line.contains("/detector?") => {
            Some(Play::Answer(429, "retry-after: 40\r\n", String::new()))
        }
        _ => None,
    });
    let (_out, written, host) = collect_from(&stub, Options::default()).await;
    let throttled = call(&written[0], "DescribeVpcs");
    assert_eq!(throttled.state, CallState::Failed);
    assert!(
        throttled
            .reason
            .as_deref()
            .unwrap()
            .ends_with("(8 attempts)")
    );
    let vpcs = stub
        .bodies()
        .into_iter()
        .filter(|body| body.contains("DescribeVpcs"));
    assert_eq!(vpcs.count(), 8);
    let waits = host.waits.lock().unwrap();
    assert!(waits.contains(&Duration::from_secs(40)), "{waits:?}");
    // What cannot tell whether GuardDuty is on cannot tell that it found nothing.
    assert_eq!(call(&written[0], "ListFindings").state, CallState::Failed);
}

#[tokio::test]
async fn roles_are_taken_and_those_that_may_not_be_are_unknown() {
    let stub = start(|_, form| {
        if form.get("Action")? != "AssumeRole" {
            return None;
        }
        Some(match form["RoleArn"].contains("444455556666") {
            true => {
                assert_eq!(form["ExternalId"], "x1");
                Play::body(
                    "<R><AssumeRoleResult><Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>s\
                     </SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-09-21T15:13:20.000Z</Expiration>\
                     </Credentials></AssumeRoleResult></R>",
                )
            }
            false => Play::Answer(
                403,
                "",
                "<E><Error><Code>AccessDenied</Code></Error></E>".to_owned(),
            ),
        })
    });
    let options = Options {
        roles: Role::list("arn:aws:iam::444455556666:role/a x1\narn:aws:iam::777788889999:role/a")
            .unwrap(),
        regions: vec!["eu-west-1".to_owned(), "eu-central-1".to_owned()],
        ..Options::default()
    };
    let (_out, written, _) = collect_from(&stub, options).await;
    let places: Vec<_> = written
        .iter()
        .map(|own| {
            (
                &*own.collected.account_id,
                &*own.collected.region,
                own.unanswered().count() > 0,
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("444455556666", "eu-central-1", false),
            ("444455556666", "eu-west-1", false),
            ("777788889999", "eu-central-1", true),
            ("777788889999", "eu-west-1", true),
        ]
    );
    assert!(
        written[2]
            .collected
            .calls
            .iter()
            .all(|call| call.state == CallState::Denied)
    );
    let vpcs = stub.asked();
    let vpcs = vpcs
        .iter()
        .find(|asked| asked.body.contains("DescribeVpcs"))
        .unwrap();
    assert!(vpcs.headers["authorization"].contains("Credential=AKIDROLE/"));
    assert_eq!(vpcs.headers["x-amz-security-token"], "t");
}

#[tokio::test]
async fn networks_of_prefix_lists_are_asked_for_where_they_do_not_come() {
    let stub = start(|_, form| {
        let list = |id: &str, more: &str| {
            format!(
                "<item><prefixListId>{id}</prefixListId><prefixListName>{id}</prefixListName>{more}</item>"
            )
        };
        let s3 = list("pl-s3", "<cidrSet><item>3.5.140.0/22</item></cidrSet>");
        Some(Play::body(&match form.get("Action")?.as_str() {
            "DescribePrefixLists" => format!("<R><prefixListSet>{s3}</prefixListSet></R>"),
            "DescribeManagedPrefixLists" => {
                let own = ["pl-s3", "pl-own", "pl-shut"].map(|id| list(id, "<version>3</version>"));
                format!("<R><prefixListSet>{}</prefixListSet></R>", own.concat())
            }
            "GetManagedPrefixListEntries" if form["PrefixListId"] == "pl-own" => {
                "<R><entrySet><item><cidr>10.9.0.0/16</cidr></item></entrySet></R>".to_owned()
            }
            "GetManagedPrefixListEntries" => {
                return Some(Play::Answer(
                    403,
                    "",
                    "<E><Code>UnauthorizedOperation</Code></E>".to_owned(),
                ));
            }
            _ => return None,
        }))
    });
    let (_out, written, _) = collect_from(&stub, Options::default()).await;
    let lists = read(&written[0], "prefix-lists.json");
    let cidrs: BTreeMap<&str, Option<&Value>> = lists["PrefixLists"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| (list["PrefixListId"].as_str().unwrap(), list.get("Cidrs")))
        .collect();
    assert_eq!(cidrs["pl-s3"], Some(&json!(["3.5.140.0/22"])));
    assert_eq!(cidrs["pl-own"], Some(&json!(["10.9.0.0/16"])));
    assert_eq!(cidrs["pl-shut"], None);
    assert_eq!(
        call(&written[0], "GetManagedPrefixListEntries").state,
        CallState::Denied
    );
    assert!(!written[0].collected.is_whole("prefix-lists.json"));
}

#[tokio::test]
async fn guardduty_is_read_as_its_command_line_prints_it() {
    let stub = start(|asked, _| {
        let path = asked.line.split(' ').nth(1)?;
        let body = match path {
            "/detector/d1" => {
                r#"{"status": "ENABLED", "createdAt": "2026-01-01T00:00:00.000Z", "tags": {"k": "v"}}"#
            }
            "/detector/d1/findings" if !asked.body.contains("nextToken") => {
                r#"{"findingIds": ["f1"], "nextToken": "2"}"#
            }
            "/detector/d1/findings" if asked.body.contains(r#""nextToken":"2""#) => {
                r#"{"findingIds": [], "nextToken": ""}"#
            }
            "/detector/d1/findings/get" => {
                r#"{"findings": [{"id": "f1", "accountId": "111122223333", "severity": 8.0, "service": {"archived": false}}]}"#
            }
            path if path.starts_with("/detector?") => r#"{"detectorIds": ["d1"]}"#,
            _ => return None,
        };
        Some(Play::body(body))
    });
    let (_out, written, _) = collect_from(&stub, Options::default()).await;
    let detectors = json!({"Detectors": [{"DetectorId": "d1", "Status": "ENABLED",
        "CreatedAt": "2026-01-01T00:00:00.000Z", "Tags": {"k": "v"}}]});
    assert_eq!(read(&written[0], "guardduty-detectors.json"), detectors);
    let findings = json!({"Findings": [{"Id": "f1", "AccountId": "111122223333", "Severity": 8.0,
        "Service": {"Archived": false}}]});
    assert_eq!(read(&written[0], "guardduty-findings.json"), findings);
    assert_eq!(call(&written[0], "ListFindings").pages, 2);
}

#[tokio::test]
async fn detectors_whose_ids_are_none_leave_the_listing_in_part() {
    let stub = start(|asked, _| {
        let path = asked.line.split(' ').nth(1)?;
        let body = match path {
            "/detector/d1" => r#"{"status": "ENABLED"}"#,
            "/detector/d1/findings" => r#"{"findingIds": []}"#,
            path if path.starts_with("/detector?") => r#"{"detectorIds": ["../x", "d1"]}"#,
            _ => return None,
        };
        Some(Play::body(body))
    });
    let (_out, written, _) = collect_from(&stub, Options::default()).await;
    for name in ["ListDetectors", "ListFindings"] {
        assert_eq!(call(&written[0], name).state, CallState::Partial, "{name}");
    }
    assert_eq!(call(&written[0], "ListDetectors").items, 1);
}

#[tokio::test]
async fn firewalls_are_described_one_by_one() {
    let stub = start(|asked, _| {
        let target = asked
            .headers
            .get("x-amz-target")?
            .strip_prefix("NetworkFirewall_20201112.")?;
        Some(Play::body(match target {
            "ListFirewalls" => r#"{"Firewalls": [{"FirewallName": "f", "FirewallArn": "arn:f"}]}"#,
            "DescribeFirewall" => {
                assert_eq!(asked.body, r#"{"FirewallArn":"arn:f"}"#);
                r#"{"Firewall": {"VpcId": "vpc-1"}, "FirewallStatus": {"Status": "READY"}}"#
            }
            _ => return None,
        }))
    });
    let (_out, written, _) = collect_from(&stub, Options::default()).await;
    let firewalls = read(&written[0], "network-firewalls.json");
    assert_eq!(
        firewalls["Firewalls"][0]["FirewallStatus"]["Status"],
        "READY"
    );
}

#[tokio::test]
async fn wrong_options_are_refused_before_anything_is_asked() {
    let out = tempfile::tempdir().unwrap();
    for region in ["", "EU", "eu west", "../x", "-x"] {
        let options = Options {
            regions: vec![region.to_owned()],
            ..Options::default()
        };
        let error = collect(out.path(), &options).await.unwrap_err();
        assert!(matches!(error, Error::Region { .. }), "{region}");
    }
    let options = Options {
        endpoint_url: Some("127.0.0.1:5000".to_owned()),
        ..Options::default()
    };
    let error = collect(out.path(), &options).await.unwrap_err();
    assert!(matches!(error, Error::Endpoint { .. }));
}
