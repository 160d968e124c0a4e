//! What findings say of the records that were judged, and of the services that their destinations are.

use outflow_finding::{Finding, Harmless, Held, JudgedState, Tested};
use sha2::{Digest as _, Sha256};

use super::evidence::SourceRows;
use super::parameters::RANGES_NAME;
use crate::reader::hex;

/// Words of a digest that are added up.
const WORDS: usize = 4;

/// The records that sums are of. Digests of sources are added up, so that no order has a say: who wants two sets to have the same
/// could make them so, as this guards against accidents, and evidence has the digests of the objects themselves.
pub(super) fn state_of(sources: &[SourceRows]) -> JudgedState {
    let (mut objects, mut rows) = (0_u64, 0_u64);
    let mut sum = [0_u64; WORDS];
    for source in sources.iter().filter(|own| own.total > 0) {
        objects += 1;
        rows = rows.saturating_add(source.total);
        let mut digest = Sha256::new();
        match &source.sha256 {
            Some(own) => digest.update(format!("sha256 {own}")),
            None => digest.update(format!("uri {}", source.uri)),
        }
        digest.update(source.total.to_le_bytes());
        let digest = digest.finalize();
        let (words, _) = digest.as_chunks();
        for (sum, word) in sum.iter_mut().zip(words) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
    }
    let mut digest = Sha256::new();
    for word in [objects, rows].iter().chain(&sum) {
        digest.update(word.to_le_bytes());
    }
    JudgedState {
        objects,
        rows,
        sha256: hex(&digest.finalize()).into(),
    }
}

/// Whether the destination of a finding, which was identified, is a service that is known. Of one without addresses, as of names
/// that were asked for, there is nothing to be asked unless a vendor's name is among them.
pub(super) fn known_service(finding: &Finding) -> Option<Tested> {
    let to = &finding.destination;
    let is_asked = to.databases.iter().any(|own| own.name == RANGES_NAME);
    let (outcome, text) = match (&to.service, &to.vendor) {
        (Some(service), _) => (
            Held::Partly,
            format!(
                "AWS lists addresses of it under {service}, and none under another; whose account it is, no address tells"
            ),
        ),
        (None, Some(vendor)) => (
            Held::Partly,
            format!(
                "all the addresses belong to {vendor}; which of its customers is meant, no address tells"
            ),
        ),
        (None, None) if to.addresses.is_empty() => return None,
        (None, None) if !is_asked => (
            Held::Unknown,
            format!("no {RANGES_NAME} of --context was asked whose the addresses are"),
        ),
        (None, None) => (
            Held::Rejected,
            "no list of AWS and no known vendor has all the addresses".to_owned(),
        ),
    };
    Some(Tested::new(Harmless::KnownService, outcome, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str, sha256: Option<&str>, total: u64) -> SourceRows {
        SourceRows {
            uri: uri.into(),
            sha256: sha256.map(Into::into),
            span: None,
            total,
            rows: crate::pipeline::evidence::Counts::default(),
        }
    }

    #[test]
    fn the_digest_is_free_of_order_and_names_and_of_what_did_not_count() {
        let of = |all: [(&str, Option<&str>, u64); 3]| {
            state_of(&all.map(|(uri, sha256, total)| source(uri, sha256, total)))
        };
        let (a, b, empty) = (("a", Some("00"), 3), ("b", None, 4), ("c", Some("02"), 0));
        let usual = of([a, b, empty]);
        assert_eq!((usual.objects, usual.rows, usual.sha256.len()), (2, 7, 64));
        assert_eq!(of([empty, b, a]), usual);
        assert_eq!(of([("moved", Some("00"), 3), b, empty]), usual);
        let others = [
            [("a", Some("01"), 3), b, empty],
            [("a", Some("00"), 4), ("b", None, 3), empty],
            [a, ("other", None, 4), empty],
            [a, b, ("c", Some("02"), 1)],
        ];
        for other in others {
            assert_ne!(of(other).sha256, usual.sha256, "{other:?}");
        }
    }

    #[test]
    fn a_service_explains_a_part_and_what_was_not_asked_is_unknown() {
        use outflow_finding::{Database, Family};
        let mut finding = Finding::new(Family::VolumeLedger);
        let outcome = |finding: &Finding| known_service(finding).map(|tested| tested.outcome);
        assert_eq!(
            outcome(&finding),
            None,
            "it has no address that could be asked for"
        );
        finding.destination.addresses = vec!["45.1.2.3".into()];
        assert_eq!(outcome(&finding), Some(Held::Unknown));
        let ranges = Database {
            name: "ip-ranges.json".to_owned(),
            built_at: outflow_record::Timestamp(0),
        };
        finding.destination.databases = vec![ranges].into();
        assert_eq!(outcome(&finding), Some(Held::Rejected));
        finding.destination.vendor = Some("Datadog".to_owned());
        let tested = known_service(&finding).unwrap();
        assert_eq!(tested.outcome, Held::Partly);
        assert!(tested.text.contains("Datadog"), "{}", tested.text);
        finding.destination.service = Some("S3".to_owned());
        assert!(known_service(&finding).unwrap().text.contains("S3"));
    }
}
