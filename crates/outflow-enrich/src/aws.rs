//! AWS services by the name that flow logs give the range of an address.

/// The service whose published range holds an address, as `pkt-src-aws-service` and `pkt-dst-aws-service` say.
///
/// `S3` says nothing about whose bucket it is, and `EC2` may be anybody's instance: neither vouches for a
/// destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AwsService(u8);

/// The names that AWS documents, in alphabetical order. A name's place plus one is its code in stored state, so
/// new names go to the end.
const NAMES: [&str; 27] = [
    "AMAZON",
    "AMAZON_APPFLOW",
    "AMAZON_CONNECT",
    "API_GATEWAY",
    "AURORA_DSQL",
    "CHIME_MEETINGS",
    "CHIME_VOICECONNECTOR",
    "CLOUD9",
    "CLOUDFRONT",
    "CLOUDFRONT_ORIGIN_FACING",
    "CODEBUILD",
    "DYNAMODB",
    "EBS",
    "EC2",
    "EC2_INSTANCE_CONNECT",
    "EFS",
    "GLOBALACCELERATOR",
    "IVS_LOW_LATENCY",
    "IVS_REALTIME",
    "KINESIS_VIDEO_STREAMS",
    "MEDIA_PACKAGE_V2",
    "ROUTE53",
    "ROUTE53_HEALTHCHECKS",
    "ROUTE53_HEALTHCHECKS_PUBLISHING",
    "ROUTE53_RESOLVER",
    "S3",
    "WORKSPACES_GATEWAYS",
];

/// A service that AWS has named since.
const OTHER: u8 = u8::MAX;

impl AwsService {
    /// No service: the address is not AWS's, or the log does not say.
    pub const NONE: Self = Self(0);

    /// The service of a name; one that is not known yet is some other service of AWS.
    pub fn named(name: &str) -> Self {
        let place = NAMES.iter().position(|own| *own == name);
        Self(
            place
                .and_then(|place| u8::try_from(place + 1).ok())
                .unwrap_or(OTHER),
        )
    }

    /// The name, or `None` for no service.
    pub fn name(self) -> Option<&'static str> {
        match self.0 {
            0 => None,
            OTHER => Some("AWS (other)"),
            place => NAMES.get(usize::from(place) - 1).copied(),
        }
    }

    /// The code in stored state.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The service of a code in stored state.
    pub const fn from_code(code: u8) -> Self {
        Self(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_lead_back_to_themselves() {
        for name in NAMES {
            let service = AwsService::named(name);
            assert_eq!(service.name(), Some(name));
            assert_eq!(AwsService::from_code(service.code()), service);
        }
        assert_eq!(AwsService::NONE.name(), None);
        assert_eq!(
            AwsService::named("SOMETHING_NEW").name(),
            Some("AWS (other)")
        );
        assert_eq!(AwsService::from_code(200).name(), None);
    }
}
