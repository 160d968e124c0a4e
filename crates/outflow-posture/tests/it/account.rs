//! An account that can be spoilt in one place at a time.

use outflow_enrich::KnownDestinations;
use outflow_enrich::inventory::{
    COLLECTED_SCHEMA, CallState, Collected, CollectedCall, Inventory, InventoryBuilder, Place,
    Snapshot,
};
use outflow_finding::{InterfaceCoverage, Minutes, RowCounts};
use outflow_posture::{Flow, GuardDuty, Inputs, Opened, Policy, Report, State, Traffic};
use outflow_record::Timestamp;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const AT: Timestamp = Timestamp(1_798_761_600);
const START: i64 = AT.0 - 30 * 86_400;

/// All that a report is made of.
pub(crate) struct Account {
    /// Lists of the EC2 API by their key.
    pub(crate) documents: serde_json::Map<String, Value>,
    pub(crate) traffic: Option<Traffic>,
    pub(crate) guardduty: Option<GuardDuty>,
    pub(crate) policy: Policy,
    /// Lists that a later snapshot asked for in vain.
    pub(crate) denied: Vec<&'static str>,
    /// Whether not all of it is to be understood.
    pub(crate) is_spoilt: bool,
}

impl Account {
    /// An account with everything as it should be, and the traffic of one host.
    pub(crate) fn right() -> Self {
        let mut own = Self::uncovered();
        let traffic = own.traffic.as_mut().unwrap();
        for interface in ["eni-1", "eni-db"] {
            traffic.cover(&covered(interface, |_| {}));
        }
        own
    }

    /// The same, of which it is not known what its logs cover.
    pub(crate) fn uncovered() -> Self {
        let mut documents: serde_json::Map<String, Value> =
            serde_json::from_str(include_str!("account.json")).unwrap();
        let restricted = json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}}]});
        for endpoint in documents["VpcEndpoints"].as_array_mut().unwrap() {
            endpoint["PolicyDocument"] = restricted.to_string().into();
        }
        let policy = json!({
            "residency": {"regions": [REGION], "countries": ["DE"]},
            "prices": {"currency": "USD", "nat_gb": 0.05, "endpoint_gb": 0.01},
            "practices": {"anomalies_alerted": true, "auto_block": true},
        });
        let mut own = Self {
            documents,
            traffic: Some(Traffic::default()),
            guardduty: Some(GuardDuty::default()),
            policy: Policy::from_json(policy.to_string().as_bytes()).unwrap(),
            denied: Vec::new(),
            is_spoilt: false,
        };
        own.guardduty
            .as_mut()
            .unwrap()
            .watch(ACCOUNT, REGION, Some(Timestamp(START)));
        // S3 through the gateway, a key through the endpoint, a partner through the firewall, telemetry within Germany.
        own.send(Flow {
            traffic_path: Some(7),
            aws_service: Some("S3"),
            aws_region: Some(REGION),
            ..to("3.5.136.9")
        });
        own.send(Flow {
            traffic_path: Some(1),
            domain: Some("kms.eu-central-1.amazonaws.com"),
            ..to("10.0.0.50")
        });
        own.send(Flow {
            traffic_path: Some(1),
            country: Some("FR"),
            ..to("203.0.113.7")
        });
        own.send(Flow {
            traffic_path: Some(1),
            domain: Some("intake.logs.datadoghq.eu"),
            ..to("203.0.113.8")
        });
        own.send(Flow {
            port: 5432,
            ..to("10.0.0.20")
        });
        own
    }

    pub(crate) fn send(&mut self, flow: Flow<'_>) {
        self.traffic.as_mut().unwrap().add(&flow);
    }

    /// A list of the account.
    pub(crate) fn list(&mut self, key: &str) -> &mut Vec<Value> {
        self.documents[key].as_array_mut().unwrap()
    }

    pub(crate) fn inventory(&self) -> Inventory {
        let mut builder = InventoryBuilder::default();
        let snapshot = Snapshot {
            place: Place {
                account_id: ACCOUNT.to_owned(),
                region: REGION.to_owned(),
            },
            taken_at: Timestamp(AT.0 - 3_600),
        };
        for (key, list) in &self.documents {
            let document = json!({key: list}).to_string();
            builder.add(key, document.as_bytes(), &snapshot).unwrap();
        }
        builder.add_collected("collected.json", &self.denied());
        let inventory = builder.build().unwrap();
        let problems = &inventory.problems;
        let is_expected = problems.total() == self.denied.len() as u64;
        assert!(is_expected || self.is_spoilt, "{problems:?}");
        inventory
    }

    /// What the later snapshot says of itself.
    fn denied(&self) -> Collected {
        let calls = self.denied.iter().map(|list| CollectedCall {
            service: "ec2".to_owned(),
            call: format!("Describe{list}"),
            list: (*list).to_owned(),
            file: None,
            state: CallState::Denied,
            pages: 0,
            items: 0,
            reason: None,
            left_out: Vec::new(),
        });
        Collected {
            schema: COLLECTED_SCHEMA.to_owned(),
            taken_at: AT.to_string(),
            account_id: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            from: "api".to_owned(),
            calls: calls.collect(),
        }
    }

    pub(crate) fn report(&self) -> Report {
        self.report_at(AT)
    }

    pub(crate) fn report_at(&self, at: Timestamp) -> Report {
        Report::new(&Inputs {
            inventory: &self.inventory(),
            at,
            traffic: self.traffic.as_ref(),
            guardduty: self.guardduty.as_ref(),
            known: &KnownDestinations::built_in().unwrap(),
            policy: &self.policy,
        })
    }

    /// Ids of all findings, in order.
    pub(crate) fn found(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .report()
            .findings
            .into_iter()
            .map(|own| own.id)
            .collect();
        ids.sort();
        ids
    }
}

/// A month of uploads of a host, by TLS.
pub(crate) fn to(destination: &str) -> Flow<'static> {
    Flow {
        account_id: ACCOUNT,
        vpc_id: "vpc-1",
        interface_id: "eni-1",
        workload: "web",
        port: 443,
        protocol: 6,
        bytes: 10 << 30,
        payload_bytes: 9 << 30,
        flows: 10,
        first_at: Timestamp(START),
        last_at: AT,
        opened: Opened::Outbound,
        ..Flow::to(destination.parse().unwrap(), AT)
    }
}

/// A whole month of records of an interface, as `spoil` leaves it.
pub(crate) fn covered(
    interface: &str,
    spoil: impl Fn(&mut InterfaceCoverage),
) -> InterfaceCoverage {
    let mut coverage = InterfaceCoverage {
        vpc_id: Some("vpc-1".to_owned()),
        interface_id: Some(interface.to_owned()),
        minutes: Minutes {
            ok: 43_200,
            ..Minutes::default()
        },
        rows: RowCounts {
            accepted: 1_000,
            rejected: 10,
            ..RowCounts::default()
        },
        ..InterfaceCoverage::default()
    };
    spoil(&mut coverage);
    coverage
}

/// Names of the criteria of the account that are in a state.
pub(crate) fn criteria(report: &Report, state: State) -> Vec<&'static str> {
    let [account] = &report.accounts[..] else {
        panic!("{:?}", report.accounts);
    };
    let own = account
        .maturity
        .criteria
        .iter()
        .filter(|judged| judged.state == state);
    own.map(|judged| judged.criterion.name()).collect()
}
