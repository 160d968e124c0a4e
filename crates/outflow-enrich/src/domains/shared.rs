//! Domains under which anybody can get a name for an address of one's own.

/// Registered domains of this kind that the public suffix list does not divide (or not in all places): clouds, storage,
/// tunnels, and names that spell their address. In alphabetical order.
const SHARED: [&str; 62] = [
    "akamaihd.net",
    "akamaized.net",
    "aliyuncs.com",
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "appspot.com",
    "aws.dev",
    "awsapps.com",
    "awsglobalaccelerator.com",
    "azure-api.net",
    "azure.com",
    "azure.net",
    "azuredatabricks.net",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "b-cdn.net",
    "backblazeb2.com",
    "bcebos.com",
    "cdn77.org",
    "cloudapp.net",
    "cloudflarestorage.com",
    "cloudfront.net",
    "digitaloceanspaces.com",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fastlylb.net",
    "goog",
    "googleapis.com",
    "googleusercontent.com",
    "herokuapp.com",
    "hwclouds.com",
    "kxcdn.com",
    "linodeobjects.com",
    "linodeusercontent.com",
    "loca.lt",
    "localtest.me",
    "myhuaweicloud.com",
    "myqcloud.com",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.com",
    "ngrok.io",
    "nip.io",
    "on.aws",
    "oraclecloud.com",
    "ovh.net",
    "scw.cloud",
    "serveo.net",
    "sslip.io",
    "traefik.me",
    "trafficmanager.net",
    "trycloudflare.com",
    "vultrobjects.com",
    "vultrusercontent.com",
    "wasabisys.com",
    "windows.net",
    "xip.io",
    "your-objectstorage.com",
    "your-server.de",
];

/// Whether a registered domain says nothing of who answers there.
pub(crate) fn is_shared_domain(domain: &str) -> bool {
    SHARED.binary_search(&domain).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(SHARED.is_sorted());
        assert!(is_shared_domain("amazonaws.com"));
        assert!(!is_shared_domain("example.com"));
    }
}
