//! Which ways the payload of an entry took, and whether one led past an endpoint.

use std::collections::HashMap;

use outflow_enrich::inventory::When;
use outflow_enrich::{ApiService, Operator};
use outflow_finding::Why;
use outflow_record::Timestamp;

use crate::key::FixedState;
use crate::policy::Way;
use crate::time::{Day, SLOT_SECS};
use crate::view::{Entry, View};

/// An endpoint that payload went past.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Past {
    /// What was sent to.
    pub(super) service: ApiService,
    /// Where the endpoint is.
    pub(super) vpc_id: String,
    pub(super) endpoint_id: String,
    by: By,
    /// When the inventory had the endpoint.
    seen_at: Timestamp,
    /// Whether the service's public name leads past it.
    is_private_name_off: bool,
}

/// What tells that it did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The way that records tell.
    Path(Way),
    /// The routes of the subnet.
    Routes,
    /// Public addresses, where the endpoint has addresses inside.
    Addresses,
}

impl Past {
    /// What tells it, for the explanation of a finding of a day.
    pub(super) fn reasons(&self, day: Day) -> Vec<Why> {
        let said = match &self.by {
            By::Path(way) => format!("the traffic-path of its records is {way}"),
            By::Routes => {
                "no record tells the path, and the routes of its subnet do not lead to the endpoint"
                    .to_owned()
            }
            By::Addresses => {
                "the endpoint has addresses inside, and what was sent to are public ones".to_owned()
            }
        };
        let seen = match self.seen_at.secs() >= day.end() {
            true => format!(
                "the inventory first has the endpoint at {}, which is later",
                self.seen_at
            ),
            false => format!("the inventory has the endpoint at {}", self.seen_at),
        };
        let mut texts = vec![said, seen];
        if self.is_private_name_off {
            texts.push(
                "its private DNS is off, so that the public name of the service leads past it"
                    .to_owned(),
            );
        }
        let reason = |text| Why {
            unit: "path".to_owned(),
            text,
            ..Why::default()
        };
        texts.into_iter().map(reason).collect()
    }
}

/// An endpoint as the cache keeps it.
#[derive(Debug, Clone)]
struct Standing {
    endpoint_id: String,
    seen_at: Timestamp,
    is_gateway: bool,
    is_private_name_off: bool,
}

/// By VPC, service and day: the endpoint, if there is one.
type Endpoints<'v> = HashMap<(&'v str, ApiService, Day), Option<Standing>, FixedState>;

/// Looks up ways, and remembers what the inventory said.
pub(super) struct Ways<'v, 'k> {
    view: &'v View<'k>,
    endpoints: Endpoints<'v>,
    /// By interface, service and day: whether routes lead to the gateway endpoint; nothing, if they do not tell.
    routed: HashMap<(u32, ApiService, Day), Option<bool>, FixedState>,
}

impl<'v, 'k> Ways<'v, 'k> {
    pub(super) fn new(view: &'v View<'k>) -> Self {
        Self {
            view,
            endpoints: HashMap::default(),
            routed: HashMap::default(),
        }
    }

    /// The ways that records tell; none if they do not, or if one of them is not known.
    pub(super) fn of(&mut self, entry: &Entry<'_>, operator: Operator<'_>) -> Vec<Way> {
        let paths = entry.counters.paths();
        let ways: Option<Vec<Way>> = paths.map(|path| self.way(path, entry, operator)).collect();
        ways.unwrap_or_default()
    }

    fn way(&mut self, path: u8, entry: &Entry<'_>, operator: Operator<'_>) -> Option<Way> {
        Some(match path {
            1 => Way::VpcResource,
            2 => return self.either(entry, operator),
            3 => Way::VirtualPrivateGateway,
            4 => Way::Peering,
            5 => Way::PeeringOtherRegion,
            6 => Way::LocalGateway,
            7 => Way::GatewayEndpoint,
            8 => Way::InternetGateway,
            _ => return None,
        })
    }

    /// Of path 2, which instances of old say of internet gateways and of gateway endpoints alike.
    fn either(&mut self, entry: &Entry<'_>, operator: Operator<'_>) -> Option<Way> {
        let label = self.view.labelled(entry).name();
        let by_range = label.and_then(|label| ApiService::of_range(label, None));
        let service = operator.service.or(by_range.as_ref());
        let may_be_gateway = match service {
            Some(service) => service.has_gateway(),
            // Where nothing tells what is AWS's, it may be anything.
            None => label.is_none() && !self.view.operators().has_ranges(),
        };
        if !may_be_gateway {
            return Some(Way::InternetGateway);
        }
        let service = operator.service?;
        match self.endpoint(entry, service) {
            Some(own) if own.is_gateway => match self.is_routed(entry, service)? {
                true => Some(Way::GatewayEndpoint),
                false => Some(Way::InternetGateway),
            },
            _ => None,
        }
    }

    /// The endpoint that payload to a service of AWS went past.
    pub(super) fn past_endpoint(
        &mut self,
        entry: &Entry<'_>,
        operator: Operator<'_>,
    ) -> Option<Past> {
        // An endpoint is of one region, so that another region's service is none of it.
        let service = operator.service.filter(|own| own.region.is_some())?;
        let own = self.endpoint(entry, service)?;
        let ways = self.of(entry, operator);
        let by = match ways.first() {
            Some(_) if ways.contains(&Way::GatewayEndpoint) => return None,
            Some(way) => By::Path(*way),
            // Paths that do not tell are no accusation.
            None if entry.counters.paths().next().is_some() && own.is_gateway => return None,
            None if !own.is_gateway => By::Addresses,
            None => match self.is_routed(entry, service)? {
                true => return None,
                false => By::Routes,
            },
        };
        Some(Past {
            service: service.clone(),
            vpc_id: self.vpc_id(entry)?.to_owned(),
            endpoint_id: own.endpoint_id,
            by,
            seen_at: own.seen_at,
            is_private_name_off: own.is_private_name_off,
        })
    }

    fn vpc_id(&self, entry: &Entry<'_>) -> Option<&'v str> {
        let view = self.view;
        view.placed(entry.interface)
            .vpc_id(view.interface(entry.interface))
    }

    fn endpoint(&mut self, entry: &Entry<'_>, service: &ApiService) -> Option<Standing> {
        let vpc_id = self.vpc_id(entry)?;
        let inventory = self.view.inventory();
        let key = (vpc_id, service.clone(), entry.slot.day());
        let find = || {
            let known = inventory.endpoint_for(vpc_id, service, end_of(entry))?;
            let is_gateway = known.is_gateway();
            Some(Standing {
                endpoint_id: known.endpoint.vpc_endpoint_id.clone(),
                seen_at: known.seen_at,
                is_gateway,
                is_private_name_off: !is_gateway && !known.endpoint.private_dns_enabled,
            })
        };
        self.endpoints.entry(key).or_insert_with(find).clone()
    }

    /// Whether routes of the interface's subnet lead to the gateway endpoint; nothing, if they are not known.
    fn is_routed(&mut self, entry: &Entry<'_>, service: &ApiService) -> Option<bool> {
        let vpc_id = self.vpc_id(entry)?;
        let (view, inventory) = (self.view, self.view.inventory());
        let key = (entry.interface, service.clone(), entry.slot.day());
        let find = || {
            let at = end_of(entry);
            let entity = view.interface(entry.interface);
            let known = inventory.interface(&entity.key.interface.interface_id, at);
            let known = known.filter(|known| known.when != When::Gone);
            let by_inventory = known.map(|known| known.value.subnet_id.as_str());
            let subnet_id = entity.interface.subnet_id.as_deref().or(by_inventory)?;
            let table = inventory.route_table(vpc_id, subnet_id, at)?;
            let endpoint = inventory.endpoint_for(vpc_id, service, at)?;
            Some(endpoint.is_routed(table))
        };
        *self.routed.entry(key).or_insert_with(find)
    }
}

/// The last second of an entry's slot.
fn end_of(entry: &Entry<'_>) -> Timestamp {
    Timestamp(entry.slot.start() + SLOT_SECS - 1)
}
