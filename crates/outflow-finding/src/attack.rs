//! What the ids of MITRE ATT&CK techniques stand for.

/// The version of ATT&CK whose names these are.
pub(crate) const VERSION: &str = "18.1";

/// A technique or sub-technique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Technique {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) tactic: Tactic,
}

/// What an adversary is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tactic {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
}

const fn tactic(id: &'static str, name: &'static str) -> Tactic {
    Tactic { id, name }
}

const INITIAL_ACCESS: Tactic = tactic("TA0001", "Initial Access");
const DISCOVERY: Tactic = tactic("TA0007", "Discovery");
const LATERAL_MOVEMENT: Tactic = tactic("TA0008", "Lateral Movement");
const COLLECTION: Tactic = tactic("TA0009", "Collection");
pub(crate) const EXFILTRATION: Tactic = tactic("TA0010", "Exfiltration");
const COMMAND_AND_CONTROL: Tactic = tactic("TA0011", "Command and Control");
const RESOURCE_DEVELOPMENT: Tactic = tactic("TA0042", "Resource Development");
const RECONNAISSANCE: Tactic = tactic("TA0043", "Reconnaissance");

const fn technique(id: &'static str, name: &'static str, tactic: Tactic) -> Technique {
    Technique { id, name, tactic }
}

/// Techniques that findings name, in the order of ids.
const TECHNIQUES: [Technique; 34] = [
    technique("T1008", "Fallback Channels", COMMAND_AND_CONTROL),
    technique("T1021", "Remote Services", LATERAL_MOVEMENT),
    technique("T1021.001", "Remote Desktop Protocol", LATERAL_MOVEMENT),
    technique("T1021.002", "SMB/Windows Admin Shares", LATERAL_MOVEMENT),
    technique("T1021.004", "SSH", LATERAL_MOVEMENT),
    technique("T1021.005", "VNC", LATERAL_MOVEMENT),
    technique("T1021.006", "Windows Remote Management", LATERAL_MOVEMENT),
    technique("T1029", "Scheduled Transfer", EXFILTRATION),
    technique("T1030", "Data Transfer Size Limits", EXFILTRATION),
    technique("T1041", "Exfiltration Over C2 Channel", EXFILTRATION),
    technique("T1046", "Network Service Discovery", DISCOVERY),
    technique(
        "T1048",
        "Exfiltration Over Alternative Protocol",
        EXFILTRATION,
    ),
    technique(
        "T1048.003",
        "Exfiltration Over Unencrypted Non-C2 Protocol",
        EXFILTRATION,
    ),
    technique("T1071", "Application Layer Protocol", COMMAND_AND_CONTROL),
    technique("T1071.001", "Web Protocols", COMMAND_AND_CONTROL),
    technique("T1071.004", "DNS", COMMAND_AND_CONTROL),
    technique("T1074", "Data Staged", COLLECTION),
    technique("T1074.002", "Remote Data Staging", COLLECTION),
    technique("T1090", "Proxy", COMMAND_AND_CONTROL),
    technique("T1090.003", "Multi-hop Proxy", COMMAND_AND_CONTROL),
    technique(
        "T1095",
        "Non-Application Layer Protocol",
        COMMAND_AND_CONTROL,
    ),
    technique("T1190", "Exploit Public-Facing Application", INITIAL_ACCESS),
    technique("T1213", "Data from Information Repositories", COLLECTION),
    technique("T1219", "Remote Access Tools", COMMAND_AND_CONTROL),
    technique("T1530", "Data from Cloud Storage", COLLECTION),
    technique("T1537", "Transfer Data to Cloud Account", EXFILTRATION),
    technique("T1567", "Exfiltration Over Web Service", EXFILTRATION),
    technique("T1567.002", "Exfiltration to Cloud Storage", EXFILTRATION),
    technique("T1571", "Non-Standard Port", COMMAND_AND_CONTROL),
    technique("T1572", "Protocol Tunneling", COMMAND_AND_CONTROL),
    technique("T1573", "Encrypted Channel", COMMAND_AND_CONTROL),
    technique("T1583", "Acquire Infrastructure", RESOURCE_DEVELOPMENT),
    technique("T1584", "Compromise Infrastructure", RESOURCE_DEVELOPMENT),
    technique("T1595", "Active Scanning", RECONNAISSANCE),
];

/// The technique of an id; none of an id that no finding has named until now.
pub(crate) fn known(id: &str) -> Option<Technique> {
    TECHNIQUES.into_iter().find(|technique| technique.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_stands_once_and_in_order() {
        assert!(TECHNIQUES.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn a_sub_technique_has_the_tactic_of_its_technique() {
        for own in TECHNIQUES.iter().filter(|own| own.id.contains('.')) {
            let (parent, _) = own.id.split_once('.').unwrap();
            assert_eq!(
                known(parent).map(|of| of.tactic),
                Some(own.tactic),
                "{own:?}"
            );
        }
    }
}
