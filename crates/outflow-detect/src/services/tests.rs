use super::*;

fn service(protocol: u8, port: u16) -> Service {
    Service {
        protocol,
        role: Role::Client,
        external: true,
        resolving: None,
        port,
    }
}

#[test]
fn the_list_of_resolvers_is_sorted_as_its_search_needs() {
    assert!(PUBLIC_RESOLVERS_V4.is_sorted());
    for text in [
        "1.1.1.1",
        "9.9.9.9",
        "223.6.6.6",
        "2606:4700:4700::1111",
        "64:ff9b::808:808",
        "2620:fe::fe",
    ] {
        assert!(is_public_resolver(text.parse().unwrap()), "{text}");
    }
    assert!(!is_public_resolver("1.1.1.4".parse().unwrap()));
}

#[test]
fn resolving_is_told_by_port_and_address() {
    let quad9: Addr = "9.9.9.9".parse().unwrap();
    let other: Addr = "52.1.1.1".parse().unwrap();
    let (client, server) = (Role::Client, Role::LikelyServer);
    for (number, role, port, remote, expected) in [
        (17, client, 53, other, Some(Resolving::Dns)),
        (17, server, 53, other, Some(Resolving::Dns)),
        (6, client, 853, other, Some(Resolving::DnsOverTls)),
        (6, client, 443, quad9, Some(Resolving::DnsOverHttps)),
        (6, server, 443, quad9, None),
        (6, client, 443, other, None),
        (1, client, 0, quad9, None),
    ] {
        assert_eq!(
            resolving(number, role, port, remote),
            expected,
            "{number} {port}"
        );
    }
}

#[test]
fn services_have_the_names_of_the_field() {
    assert_eq!(service_name(service(6, 443)), "tcp/443");
    assert_eq!(service_name(service(47, 0)), "gre");
    assert_eq!(watched(service(6, 445)).unwrap().name, "smb");
    assert_eq!(watched(service(6, 443)), None);
}

#[test]
fn what_may_have_been_meant_is_near() {
    assert_eq!(meant("rsnc"), ["rsync"]);
    assert_eq!(meant("SSH").len(), names().len());
    assert!(meant("shs").contains(&"ssh"));
    assert_eq!(meant("postgres").len(), names().len());
    let distances = [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("ssh", "shs", 2),
        ("rsync", "rsnc", 1),
    ];
    for (one, other, expected) in distances {
        assert_eq!(
            distance(one.as_bytes(), other.as_bytes()),
            expected,
            "{one} {other}"
        );
    }
}
