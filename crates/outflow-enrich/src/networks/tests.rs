use super::*;

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

#[test]
fn every_class_has_its_ranges_to_the_edge() {
    let cases = [
        ("10.0.0.0", AddrClass::Private),
        ("11.0.0.0", AddrClass::Public),
        ("172.15.255.255", AddrClass::Public),
        ("172.16.0.0", AddrClass::Private),
        ("172.31.255.255", AddrClass::Private),
        ("172.32.0.0", AddrClass::Public),
        ("192.168.255.255", AddrClass::Private),
        ("100.63.255.255", AddrClass::Public),
        ("100.64.0.0", AddrClass::SharedSpace),
        ("100.127.255.255", AddrClass::SharedSpace),
        ("100.128.0.0", AddrClass::Public),
        ("169.254.169.253", AddrClass::LinkLocal),
        ("127.0.0.1", AddrClass::Loopback),
        ("239.255.255.250", AddrClass::Multicast),
        ("255.255.255.255", AddrClass::Reserved),
        ("0.0.0.0", AddrClass::Reserved),
        ("203.0.113.9", AddrClass::Documentation),
        ("fd00:ec2::253", AddrClass::UniqueLocal),
        ("fe80::1", AddrClass::LinkLocal),
        ("ff02::1", AddrClass::Multicast),
        ("::1", AddrClass::Loopback),
        ("::", AddrClass::Reserved),
        ("2001:db8::1", AddrClass::Documentation),
        ("2606:4700::1111", AddrClass::Public),
    ];
    for (text, class) in cases {
        assert_eq!(AddrClass::of(addr(text)), class, "{text}");
    }
}

#[test]
fn private_space_is_inside_unless_a_private_network_is_named() {
    let default = Networks::default();
    assert_eq!(default.scope(addr("192.168.1.1")), Scope::Internal);
    assert_eq!(default.scope(addr("8.8.8.8")), Scope::External);
    assert_eq!(default.scope(addr("224.0.0.1")), Scope::Link);
    let public = Networks::parse(["147.32.0.0/16"]).unwrap();
    assert_eq!(public.scope(addr("192.168.1.1")), Scope::Internal);
    assert_eq!(public.scope(addr("147.32.1.1")), Scope::Internal);
    let narrowed = Networks::parse(["10.0.0.0/8", "2a05:d018::/36", "1.2.3.4"]).unwrap();
    assert_eq!(narrowed.scope(addr("192.168.1.1")), Scope::External);
    assert_eq!(narrowed.scope(addr("2a05:d018:0:1::1")), Scope::Internal);
    assert_eq!(narrowed.scope(addr("1.2.3.4")), Scope::Internal);
    assert_eq!(narrowed.scope(addr("1.2.3.5")), Scope::External);
}

#[test]
fn what_is_no_network_is_named() {
    let error = Networks::parse(["10.0.0.0/8", "10.0.0.0/33"]).unwrap_err();
    assert_eq!(
        error,
        Error::BadNetwork {
            text: "10.0.0.0/33".to_owned()
        }
    );
    assert!(Networks::parse(["::/0"]).unwrap().scope(addr("2606::1")) == Scope::Internal);
}

#[test]
fn a_network_that_is_added_narrows_nothing() {
    let added = ["10.20.0.0/16", "147.32.0.0/16", "2600:1f00::/40"];
    let added = || added.map(|text| text.parse::<IpNet>().unwrap());
    let networks = Networks::default().and(added());
    let scope = |networks: &Networks, addr: &str| networks.scope(addr.parse().unwrap());
    for inside in ["147.32.1.1", "2600:1f00::1", "192.168.0.5", "10.99.0.1"] {
        assert_eq!(scope(&networks, inside), Scope::Internal, "{inside}");
    }
    assert_eq!(scope(&networks, "147.33.1.1"), Scope::External);
    let narrowed = Networks::parse(["10.1.0.0/16"]).unwrap().and(added());
    assert_eq!(
        scope(&narrowed, "10.20.0.1"),
        Scope::External,
        "who narrows knows better"
    );
    assert_eq!(scope(&narrowed, "147.32.1.1"), Scope::Internal);
}

#[test]
fn the_first_octet_tells_what_the_whole_address_does() {
    let networks = Networks::default();
    let octets = [0, 1, 2, 16, 31, 51, 64, 100, 113, 127, 128, 168, 254, 255];
    for first in 0..=u8::MAX {
        for second in octets {
            for third in octets {
                let addr = Addr::from_v4([first, second, third, 9]);
                assert_eq!(
                    networks.scope(addr),
                    networks.scope_by_class(addr),
                    "{addr}"
                );
            }
        }
    }
}
