-- name: ip_flows
-- question: Which flows touched this address, in which direction, in order?
-- param: ip address: the address, as the records have it
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 1000: rows at most
-- column: start: start of the record's window
-- column: end: end of it
-- column: interface_id: the interface that saw it
-- column: workload: what the interface belongs to
-- column: direction: `egress` or `ingress`, as the interface sees it
-- column: srcaddr: address that sent
-- column: srcport: its port
-- column: dstaddr: address that received
-- column: dstport: its port
-- column: protocol: IANA number
-- column: action: `ACCEPT` or `REJECT`
-- column: packets: packets
-- column: bytes: bytes, headers included
-- column: payload_bytes: bytes beyond headers
-- column: source_id: the object it was read from, as in `sources`
-- column: source_row: its row there, from 0
SELECT
    start,
    "end",
    interface_id,
    workload,
    direction,
    srcaddr,
    srcport,
    dstaddr,
    dstport,
    protocol,
    action,
    packets,
    bytes,
    payload_bytes,
    source_id,
    source_row
FROM flows
WHERE (srcaddr = $ip OR dstaddr = $ip OR pkt_srcaddr = $ip OR pkt_dstaddr = $ip)
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
ORDER BY start, "end", source_id, source_row
LIMIT $top
