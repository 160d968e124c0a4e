use std::collections::BTreeSet;

use super::{Inventory, Role, zone_prefix};
use crate::WorldConfig;

#[test]
fn zone_ids_begin_as_aws_abbreviates_regions() {
    assert_eq!(zone_prefix("us-east-1"), "use1");
    assert_eq!(zone_prefix("eu-central-1"), "euc1");
}

#[test]
fn no_two_interfaces_share_an_id_or_an_address() {
    let inventory = Inventory::new(&WorldConfig {
        accounts: 2,
        enis: 60,
        days: 1,
        ..WorldConfig::default()
    });
    let ids: BTreeSet<_> = inventory.enis.iter().map(|eni| &eni.id).collect();
    let addrs: BTreeSet<_> = inventory.enis.iter().map(|eni| eni.addr).collect();
    assert_eq!(ids.len(), inventory.enis.len());
    assert_eq!(addrs.len(), inventory.enis.len());
}

#[test]
fn each_account_has_every_role_and_autoscaled_interfaces_live_less() {
    let config = WorldConfig {
        accounts: 3,
        enis: 40,
        ..WorldConfig::default()
    };
    let inventory = Inventory::new(&config);
    for account in 0..3 {
        for role in Role::ALL {
            assert!(!inventory.stable(account, role).is_empty(), "{role:?}");
        }
    }
    let span = config.end().secs() - config.start.secs();
    for eni in &inventory.enis {
        assert_eq!(eni.autoscaled, eni.life.1 - eni.life.0 < span);
        assert_eq!(eni.instance.is_none(), eni.role == Role::NatGateway);
    }
}
