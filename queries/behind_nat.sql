-- name: behind_nat
-- question: Which hosts are behind what a gateway passed on, to an address or to all?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: ip address = null: only to this address
-- param: top bigint 1.. = 100: rows at most
-- column: gateway_interface: the interface of the gateway
-- column: packet_source: the host that sent the packets
-- column: its_interface: the interface that has this address, by the records themselves; null if no log tells
-- column: remote_addr: where they went
-- column: remote_port: the port there
-- column: bytes: bytes, headers included, as the gateway received them
-- column: flows: flow records
-- column: first: start of the first
-- column: last: end of the last
WITH passed AS (
    SELECT
        interface_id,
        vpc_id,
        pkt_srcaddr,
        pkt_dstaddr,
        dstport,
        bytes,
        start,
        "end"
    FROM flows_logged
    WHERE via = 'received'
        AND direction = 'egress'
        AND action = 'ACCEPT'
        AND pkt_srcaddr IS NOT NULL
        AND ($ip IS NULL OR pkt_dstaddr = $ip)
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
hosts AS (
    SELECT vpc_id, local_addr, min(interface_id) AS interface_id
    FROM flows
    WHERE via = 'own' AND local_addr IN (SELECT pkt_srcaddr FROM passed)
    GROUP BY vpc_id, local_addr
)
SELECT
    passed.interface_id AS gateway_interface,
    passed.pkt_srcaddr AS packet_source,
    min(hosts.interface_id) AS its_interface,
    passed.pkt_dstaddr AS remote_addr,
    passed.dstport AS remote_port,
    sum(passed.bytes) AS bytes,
    count(*) AS flows,
    min(passed.start) AS first,
    max(passed."end") AS last
FROM passed
LEFT JOIN hosts ON hosts.local_addr = passed.pkt_srcaddr AND hosts.vpc_id IS NOT DISTINCT FROM passed.vpc_id
GROUP BY passed.interface_id, passed.pkt_srcaddr, passed.pkt_dstaddr, passed.dstport
ORDER BY bytes DESC, gateway_interface, packet_source, remote_addr, remote_port
LIMIT $top
