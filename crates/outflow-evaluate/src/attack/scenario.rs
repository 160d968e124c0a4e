//! The scenarios, by name, and what is asked of a detector.

/// Something that happens in a world on top of its ordinary traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scenario {
    /// 50 GB within an hour to a new address.
    Burst,
    /// 1 GB within ten minutes to a new address.
    SmallBurst,
    /// 100 MB to a new address, once.
    Once,
    /// 2 GB a day to a new address.
    Drip,
    /// 50 MB a day to a new address.
    SlowDrip,
    /// 10 MB a day to a new address.
    VerySlowDrip,
    /// 2 GB a day more to an established destination.
    Established,
    /// 500 MB a day more to an established destination.
    EstablishedSmall,
    /// 40 MB a day from each of fifty interfaces to one new address.
    SplitSenders,
    /// 10 MB a day to each of two hundred new addresses.
    SplitDestinations,
    /// 2 GB a day in all from fifty interfaces to two hundred new addresses.
    SplitBoth,
    /// A tunnel of 10 kB a minute over DNS to a host that is no resolver of the network.
    ResolverBypass,
    /// A tunnel of 5 kB a second over DNS-over-HTTPS.
    DnsOverHttps,
    /// 20 kB a second in ICMP.
    IcmpTunnel,
    /// A beacon every minute, give or take half of that, for five days; then 500 MB.
    BeaconThenTheft,
    /// A beacon every four hours, give or take 37 %.
    SlowBeacon,
    /// A beacon once a day, give or take a tenth.
    DailyBeacon,
    /// 5 GB a day more to the object store that the host uses anyway: flow logs do not tell whose bucket.
    ObjectStore,
    /// 200 MB a day to another site of a telemetry service that the host reports to.
    Telemetry,
    /// 20 GB gathered from thirty hosts inside, then sent out within three days.
    Staging,
    /// A tunnel of 50 kB a second through the resolver of AWS.
    DnsFull,
    /// A tunnel of a query a minute with 30 bytes each.
    DnsSlow,
    /// 0.7 bytes a second in names made of ordinary words.
    DnsWords,
    /// Stolen cards in names, sixty an hour.
    DnsCards,
    /// 500 bytes a day to each of twenty domains.
    DnsSplit,
    /// A nightly backup moves to another hour.
    BackupMoved,
    /// Many interfaces begin to use five new services on one day.
    Deploy,
    /// An established destination moves to other addresses.
    CdnRenumbered,
    /// A failover: what went to one destination goes to another one, from a whole role at once.
    Failover,
    /// 100 GB fetched from a new address, of which only acknowledgements go out.
    BigDownload,
    /// Two hours of a host's records are missing, and come twice as dense afterwards.
    CatchUp,
    /// A host's clock is 20 minutes ahead from some day on.
    ClockSkew,
    /// A scanner of files is rolled out, and asks for the reputation of each.
    ScannerRollout,
    /// Much mail comes in, and lists are asked for each sender.
    MailBurst,
    /// Shards of a network of servers, by names that look made up.
    CdnNames,
    /// Search suffixes are tried behind many names.
    SearchSuffixes,
    /// Since the log began, a backup is full on Saturdays and small in all other nights, and another one comes on Sundays alone.
    WeeklyBackup,
    /// A fleet gains twelve hosts that do what its others do, and one of them sends 1 GB within an hour to a new address.
    FleetTheft,
    /// What an established destination gets doubles every week, from its usual level on.
    Ramp,
    /// A fleet gains twelve hosts that do what its others do, for five days.
    FleetGrown,
    /// What is sent to an established destination has grown by a twentieth each week since the log began.
    OrganicGrowth,
}

/// Whether a scenario is one to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Data leaves that should not, or a program calls home that should not be there.
    Malicious,
    /// Unusual, yet harmless.
    Benign,
}

/// What is asked of a detector at one incident for a thousand interface-days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The share of placements that it finds.
    pub recall: f64,
    /// Median seconds to detection.
    pub secs: u32,
    /// Median bytes that are gone by then; `None` where it is not about bytes.
    pub bytes: Option<u64>,
}

const MB: u64 = 1_000_000;
const GB: u64 = 1_000 * MB;
const MINUTE: u32 = 60;
const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

impl Scenario {
    /// All, in the order of reports.
    pub const ALL: &'static [Self] = &[
        Self::Burst,
        Self::SmallBurst,
        Self::Once,
        Self::Drip,
        Self::SlowDrip,
        Self::VerySlowDrip,
        Self::Established,
        Self::EstablishedSmall,
        Self::SplitSenders,
        Self::SplitDestinations,
        Self::SplitBoth,
        Self::ResolverBypass,
        Self::DnsOverHttps,
        Self::IcmpTunnel,
        Self::BeaconThenTheft,
        Self::SlowBeacon,
        Self::DailyBeacon,
        Self::ObjectStore,
        Self::Telemetry,
        Self::Staging,
        Self::DnsFull,
        Self::DnsSlow,
        Self::DnsWords,
        Self::DnsCards,
        Self::DnsSplit,
        Self::FleetTheft,
        Self::Ramp,
        Self::BackupMoved,
        Self::Deploy,
        Self::CdnRenumbered,
        Self::Failover,
        Self::BigDownload,
        Self::CatchUp,
        Self::ClockSkew,
        Self::ScannerRollout,
        Self::MailBurst,
        Self::CdnNames,
        Self::SearchSuffixes,
        Self::WeeklyBackup,
        Self::FleetGrown,
        Self::OrganicGrowth,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst-50gb",
            Self::SmallBurst => "burst-1gb",
            Self::Once => "once-100mb",
            Self::Drip => "drip-2gb",
            Self::SlowDrip => "drip-50mb",
            Self::VerySlowDrip => "drip-10mb",
            Self::Established => "established-2gb",
            Self::EstablishedSmall => "established-500mb",
            Self::SplitSenders => "split-senders",
            Self::SplitDestinations => "split-destinations",
            Self::SplitBoth => "split-both",
            Self::ResolverBypass => "resolver-bypass",
            Self::DnsOverHttps => "dns-over-https",
            Self::IcmpTunnel => "icmp-tunnel",
            Self::BeaconThenTheft => "beacon-then-theft",
            Self::SlowBeacon => "beacon-4h",
            Self::DailyBeacon => "beacon-24h",
            Self::ObjectStore => "object-store-5gb",
            Self::Telemetry => "telemetry-200mb",
            Self::Staging => "staging-20gb",
            Self::DnsFull => "dns-50kb-a-second",
            Self::DnsSlow => "dns-query-a-minute",
            Self::DnsWords => "dns-words",
            Self::DnsCards => "dns-cards",
            Self::DnsSplit => "dns-20-domains",
            Self::BackupMoved => "backup-moved",
            Self::Deploy => "deploy",
            Self::CdnRenumbered => "cdn-renumbered",
            Self::Failover => "failover",
            Self::BigDownload => "big-download",
            Self::CatchUp => "catch-up",
            Self::ClockSkew => "clock-skew",
            Self::ScannerRollout => "scanner-rollout",
            Self::MailBurst => "mail-burst",
            Self::CdnNames => "cdn-names",
            Self::SearchSuffixes => "search-suffixes",
            Self::WeeklyBackup => "weekly-backup",
            Self::FleetTheft => "fleet-theft-1gb",
            Self::Ramp => "ramp-doubling",
            Self::FleetGrown => "fleet-grown",
            Self::OrganicGrowth => "growth-5-percent",
        }
    }

    /// Whether it is one to find.
    pub const fn kind(self) -> Kind {
        // Numbers decide where placements are, so that what is new comes last.
        match self {
            Self::FleetTheft | Self::Ramp => Kind::Malicious,
            _ if self as u8 >= Self::BackupMoved as u8 => Kind::Benign,
            _ => Kind::Malicious,
        }
    }

    /// Whether it happens in names that the resolver is asked for, and so in Resolver query logs alone.
    pub const fn is_of_names(self) -> bool {
        matches!(
            self,
            Self::DnsFull
                | Self::DnsSlow
                | Self::DnsWords
                | Self::DnsCards
                | Self::DnsSplit
                | Self::ScannerRollout
                | Self::MailBurst
                | Self::CdnNames
                | Self::SearchSuffixes
        )
    }

    /// Whether it is as old as its world, so that there is a past to tell it by; all others begin in the test window.
    pub const fn is_old(self) -> bool {
        matches!(self, Self::WeeklyBackup | Self::OrganicGrowth)
    }

    /// Whether it happens on hosts that have not been there before.
    pub(super) const fn is_of_fleet(self) -> bool {
        matches!(self, Self::FleetTheft | Self::FleetGrown)
    }

    /// Days that it goes on for; what is longer than what is left of the world is cut.
    pub(super) const fn days(self) -> u64 {
        match self {
            // Thirty days fill the test window, so it begins in the first days and ends with the world.
            Self::Drip | Self::SlowDrip | Self::VerySlowDrip | Self::Ramp => 27,
            Self::Established | Self::EstablishedSmall | Self::ObjectStore | Self::Telemetry => 20,
            Self::SplitSenders | Self::SplitDestinations | Self::SplitBoth => 7,
            Self::BeaconThenTheft => 6,
            Self::SlowBeacon => 14,
            Self::DailyBeacon => 24,
            Self::Staging | Self::DnsSplit | Self::CdnNames => 5,
            // Up to the end of a day, of which the first is begun.
            Self::FleetTheft | Self::FleetGrown => 6,
            Self::DnsCards | Self::SearchSuffixes => 3,
            Self::Deploy
            | Self::CdnRenumbered
            | Self::Failover
            | Self::ClockSkew
            | Self::BackupMoved => 10,
            _ => 2,
        }
    }

    /// Interfaces that it takes, of so many.
    pub(crate) fn enis(self, of: u32) -> usize {
        let share = |most: u32| most.min((of / 4).max(2)) as usize;
        match self {
            Self::SplitSenders | Self::SplitBoth => share(50),
            Self::Deploy => share(100),
            Self::CdnRenumbered | Self::Failover | Self::ScannerRollout => share(30),
            _ => 1,
        }
    }

    /// What is asked of a detector; nothing of what is benign, but silence.
    pub const fn target(self) -> Option<Target> {
        let (recall, secs, bytes) = match self {
            Self::Burst => (1.0, 10 * MINUTE, Some(9 * GB)),
            Self::SmallBurst => (1.0, 10 * MINUTE, Some(GB)),
            Self::Once => (0.95, 10 * MINUTE, Some(100 * MB)),
            Self::Drip | Self::SplitDestinations => (1.0, 90 * MINUTE, Some(120 * MB)),
            Self::SlowDrip => (0.95, 2 * DAY, Some(100 * MB)),
            Self::VerySlowDrip => (0.5, 12 * DAY, Some(120 * MB)),
            Self::Established => (0.9, 3 * DAY, Some(6 * GB)),
            Self::EstablishedSmall => (0.75, 4 * DAY, Some(2 * GB)),
            Self::SplitSenders => (1.0, 4 * HOUR, Some(400 * MB)),
            Self::SplitBoth => (0.9, DAY, Some(1_500 * MB)),
            Self::ResolverBypass => (1.0, 20 * MINUTE, Some(200_000)),
            Self::DnsOverHttps => (0.95, 30 * MINUTE, Some(10 * MB)),
            Self::IcmpTunnel => (1.0, 20 * MINUTE, Some(25 * MB)),
            Self::BeaconThenTheft => (0.99, DAY, None),
            Self::SlowBeacon => (0.95, 3 * DAY, None),
            Self::DailyBeacon => (0.8, 14 * DAY, None),
            Self::ObjectStore => (0.8, 3 * DAY, Some(6 * GB)),
            Self::Telemetry => (0.6, 4 * DAY, Some(GB)),
            Self::Staging => (1.0, 30 * MINUTE, Some(GB)),
            Self::DnsFull => (1.0, MINUTE, Some(90 * MB)),
            Self::DnsSlow => (0.99, 4 * HOUR, Some(4_000)),
            Self::DnsWords => (0.99, 2 * HOUR, Some(4_000)),
            Self::DnsCards => (0.95, DAY, Some(4_000)),
            Self::DnsSplit => (0.8, 2 * DAY, Some(16_000)),
            Self::FleetTheft => (1.0, 10 * MINUTE, Some(GB)),
            Self::Ramp => (0.8, 21 * DAY, None),
            _ => return None,
        };
        Some(Target {
            recall,
            secs,
            bytes,
        })
    }
}
