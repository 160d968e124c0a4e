use super::*;

fn built_in() -> KnownDestinations {
    KnownDestinations::built_in().unwrap()
}

fn said(name: &str) -> String {
    let known = built_in();
    let Some(known) = known.by_name(name) else {
        return "-".to_owned();
    };
    let or = |text: &Option<String>| text.clone().unwrap_or("?".to_owned());
    format!(
        "{} {} {}",
        known.vendor,
        or(&known.site),
        or(&known.country)
    )
}

#[test]
fn the_nearest_domain_tells_the_site() {
    for (name, expected) in [
        ("7-60-0-app.agent.datadoghq.com", "Datadog US1 US"),
        ("http-intake.logs.US5.datadoghq.com.", "Datadog US5 US"),
        ("datadoghq.eu", "Datadog EU1 DE"),
        ("api.ap1.datadoghq.com", "Datadog AP1 JP"),
        ("inputs.acme.splunkcloud.com", "Splunk ? ?"),
        ("ingest.eu1.signalfx.com", "Splunk eu1 DE"),
        ("log-api.eu.newrelic.com", "New Relic EU DE"),
        ("collector.newrelic.com", "New Relic US US"),
        ("o1.ingest.de.sentry.io", "Sentry DE DE"),
        ("o1.ingest.us.sentry.io", "Sentry US US"),
        ("abc.eu-west-1.aws.found.io", "Elastic eu-west-1 IE"),
        ("abc.westeurope.azure.elastic-cloud.com", "Elastic ? ?"),
        ("com", "-"),
        ("example.com", "-"),
    ] {
        assert_eq!(said(name), expected, "{name}");
    }
}

#[test]
fn a_look_alike_is_not_known() {
    for name in [
        "evil-datadoghq.com",
        "datadoghq.com.evil.example",
        "xsentry.io",
        "us3datadoghq.com",
    ] {
        assert_eq!(said(name), "-", "{name}");
    }
}

#[test]
fn published_networks_tell_the_site() {
    let known = built_in();
    let site = |addr: &str| {
        known
            .by_addr(addr.parse().unwrap())
            .and_then(|known| known.site.clone())
    };
    assert_eq!(site("162.247.243.255").as_deref(), Some("US"));
    assert_eq!(site("185.221.84.0").as_deref(), Some("EU"));
    assert_eq!(site("64:ff9b::185.221.87.9").as_deref(), Some("EU"));
    assert_eq!(site("162.247.244.0"), None);
    assert_eq!(site("3.233.159.255").as_deref(), Some("US1"));
    assert_eq!(site("2600:1f18:24e6:b9ff::1").as_deref(), Some("US1"));
    assert_eq!(site("34.120.195.249").as_deref(), Some("US"));
    assert_eq!(site("34.120.62.213").as_deref(), Some("DE"));
    // It takes in events of both sites.
    assert_eq!(site("34.160.81.0"), None);
}

#[test]
fn the_built_in_list_is_in_order() {
    for known in built_in().iter() {
        let country = known.country.as_deref().unwrap_or("XX");
        assert!(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()));
        assert!(!known.domains.is_empty(), "{known:?}");
        for domain in &known.domains {
            assert_eq!(canonical(domain).as_deref(), Some(&**domain));
            // Nobody may claim a public suffix, and with it all who are below.
            assert!(crate::registered_domain(domain).is_some(), "{domain}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_list_is_named() {
    let list = |domains: &str, rest: &str| {
        format!(
            r#"{{"destinations": [{{"vendor": "V", "product": "P", "category": "saas", "domains": {domains}{rest}}}]}}"#
        )
    };
    let said = |json: String| match KnownDestinations::from_json(json.as_bytes()) {
        Ok(known) => format!("{} known", known.iter().count()),
        Err(error) => error.to_string(),
    };
    assert_eq!(said(list(r#"["a.example"]"#, "")), "1 known");
    assert_eq!(
        said(list(r#"["a.example", "A.example."]"#, "")),
        "not a list of destinations: `A.example.` is there twice"
    );
    assert!(said(list(r#"["a..example"]"#, "")).contains("`a..example` has an empty label"));
    assert!(said(list("[]", r#", "ranges": ["10.0.0.0/33"]"#)).contains("line 1 column"));
    assert!(said(list("[]", r#", "typo": 1"#)).contains("unknown field `typo`"));
}
