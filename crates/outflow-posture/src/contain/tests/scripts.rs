//! Scripts, run with an AWS CLI that answers as it is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::*;

/// Stands for the AWS CLI: fails where what it is asked for matches `$FAIL`, by the code `$CODE`.
const AWS: &str = r#"aws() {
echo "$*" >>"$LOG"
if [ -n "$FAIL" ] && [[ "$*" =~ $FAIL ]]; then
    echo "An error occurred ($CODE) when calling $2" >&2
    return 254
fi
case "$*" in
*get-caller-identity*) echo 111122223333 ;;
*create-security-group*) echo sg-q ;;
*describe-security-groups*) echo '[]' ;;
*describe-network-interfaces*SubnetId*) echo subnet-a subnet-b ;;
*describe-network-interfaces*eni-1*) echo "$GROUPS_NOW" ;;
*describe-network-interfaces*) echo sg-app sg-web ;;
*describe-network-acls*subnet-a*) echo acl-1 ;;
*describe-network-acls*subnet-b*) echo acl-2 ;;
*describe-network-acls*) echo "$ENTRIES_NOW" ;;
*create-firewall-domain-list*) echo rslvr-fdl-1 ;;
*create-firewall-rule-group*) echo rslvr-frg-1 ;;
*create-firewall-rule*) echo rule ;;
*associate-firewall-rule-group*) echo rslvr-frgassoc-1 ;;
*get-firewall-rule-group-association*) return 254 ;;
esac
}
"#;

struct Scripts(tempfile::TempDir);

impl Scripts {
    /// `None` where there is no bash.
    fn written() -> Option<Self> {
        if Command::new("bash").arg("-c").arg(":").output().is_err() {
            eprintln!("skipped: there is no bash");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let of = contained(&incident(|_| {}));
        let vpc = &of.vpcs[0];
        for (name, text) in [
            ("contain.sh", of.contain_script(vpc)),
            ("undo.sh", of.undo_script(vpc)),
            ("aws.sh", AWS.to_owned()),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Some(Self(folder))
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs a script; gives how it ended, and what it asked for.
    fn run(&self, name: &str, environment: &[(&str, &str)]) -> (Output, String) {
        let log = self.path("log");
        fs::write(&log, "").unwrap();
        let done = Command::new("bash")
            .arg(self.path(name))
            // Read before the script.
            .env("BASH_ENV", self.path("aws.sh"))
            .env("LOG", &log)
            .env("FAIL", "")
            .env("CODE", "ThrottlingException")
            .env("GROUPS_NOW", "sg-app sg-web")
            .env("ENTRIES_NOW", "0")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        (done, fs::read_to_string(log).unwrap())
    }

    /// Runs the script that contains, to its end.
    fn contained(&self) {
        let (done, _) = self.run("contain.sh", &[]);
        assert!(said(&done).contains("Contained."), "{}", said(&done));
    }

    fn is_kept(&self, name: &str) -> bool {
        Path::exists(&self.path("state").join(name))
    }
}

fn said(done: &Output) -> String {
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

/// What an interface and an ACL are while they are contained.
const CONTAINED: [(&str, &str); 2] = [("GROUPS_NOW", "sg-q"), ("ENTRIES_NOW", "1")];

#[test]
fn they_contain_and_take_back() {
    let Some(scripts) = Scripts::written() else {
        return;
    };
    scripts.contained();
    let (done, asked) = scripts.run("undo.sh", &CONTAINED);
    assert!(done.status.success(), "{}", said(&done));
    let order = [
        "modify-network-interface-attribute --network-interface-id eni-1 --groups sg-app sg-web",
        "disassociate-firewall-rule-group",
        "delete-firewall-domain-list --firewall-domain-list-id rslvr-fdl-1",
        "delete-network-acl-entry --network-acl-id acl-1 --egress --rule-number 1",
        "delete-network-acl-entry --network-acl-id acl-2 --egress --rule-number 2",
        "delete-security-group --group-id sg-q",
    ];
    let found = order.map(|call| {
        asked
            .find(call)
            .unwrap_or_else(|| panic!("{call}\n{asked}"))
    });
    assert!(found.is_sorted(), "hosts come first: {asked}");
    assert!(!scripts.is_kept(""));
}

#[test]
fn a_call_that_fails_ends_what_contains() {
    for (fail, kept) in [
        ("create-firewall-domain-list", "dns-list"),
        ("create-firewall-rule-group", "dns-rules"),
        ("associate-firewall-rule-group", "dns-association"),
        ("describe-network-acls.*subnet-a", "acl-entries"),
    ] {
        let Some(scripts) = Scripts::written() else {
            return;
        };
        let (done, _) = scripts.run("contain.sh", &[("FAIL", fail)]);
        let told = said(&done);
        assert!(
            !done.status.success() && !told.contains("Contained."),
            "{fail}: {told}"
        );
        assert!(!scripts.is_kept(kept), "{fail}");
        let (done, asked) = scripts.run("undo.sh", &CONTAINED);
        assert!(done.status.success(), "{fail}: {}", said(&done));
        assert!(asked.contains("eni-1 --groups sg-app sg-web"), "{asked}");
    }
}

#[test]
fn what_is_kept_empty_is_not_there() {
    let Some(scripts) = Scripts::written() else {
        return;
    };
    scripts.contained();
    for name in ["dns-list", "dns-rules", "dns-rule", "dns-association"] {
        fs::write(scripts.path("state").join(name), "").unwrap();
    }
    let (done, asked) = scripts.run("undo.sh", &CONTAINED);
    assert!(done.status.success(), "{}", said(&done));
    assert!(!asked.contains("route53resolver"), "{asked}");
    assert!(asked.contains("delete-security-group"), "{asked}");
}

#[test]
fn what_is_gone_does_not_end_what_takes_back() {
    let Some(scripts) = Scripts::written() else {
        return;
    };
    scripts.contained();
    // Of an instance that was ended and an ACL that was deleted, AWS tells nothing if it is asked with filters.
    let gone = [
        ("GROUPS_NOW", "None"),
        (
            "FAIL",
            "disassociate|delete-firewall|(interface|acl)-ids (eni|acl)-1",
        ),
        ("CODE", "ResourceNotFoundException"),
    ];
    let (done, asked) = scripts.run("undo.sh", &gone);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("eni-1: it is gone"), "{}", said(&done));
    assert!(!asked.contains("interface-id eni-1"), "{asked}");
    assert!(asked.contains("delete-security-group"), "{asked}");
    assert!(!scripts.is_kept(""));
}

#[test]
fn what_cannot_be_taken_back_keeps_no_host_cut_off() {
    for (fail, kept) in [
        ("disassociate-firewall-rule-group", "dns-association"),
        ("delete-network-acl-entry", "acl-entries"),
        ("modify-network-interface-attribute.*eni-1", "eni-1.groups"),
    ] {
        let Some(scripts) = Scripts::written() else {
            return;
        };
        scripts.contained();
        // The second interface is contained as well.
        let aws = AWS.replace("*eni-1*)", "*)");
        fs::write(scripts.path("aws.sh"), aws).unwrap();
        let (done, asked) = scripts.run("undo.sh", &[&CONTAINED[..], &[("FAIL", fail)]].concat());
        assert!(!done.status.success(), "{fail}");
        for id in ["eni-1", "eni-2"] {
            let call = format!("--network-interface-id {id} --groups sg-app sg-web");
            assert!(asked.contains(&call), "{fail}: {asked}");
        }
        assert!(!asked.contains("delete-security-group"), "{asked}");
        assert!(
            scripts.is_kept(kept),
            "what is still to do is known: {fail}"
        );
    }
}
