-- name: other_resolvers
-- question: Which of our hosts talk to DNS servers other than the resolver of their VPC?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 100: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: remote_addr: the DNS server
-- column: remote_org: who runs its network
-- column: way: `dns` (port 53), `dot` (853) or `doh` (443, to an address that is known to answer DNS there)
-- column: action: `ACCEPT` or `REJECT`
-- column: flows: flow records
-- column: packets: packets sent
-- column: payload_bytes: bytes beyond headers sent
-- column: first: start of the first
-- column: last: end of the last
SELECT
    interface_id,
    workload,
    remote_addr,
    remote_org,
    CASE remote_port WHEN 53 THEN 'dns' WHEN 853 THEN 'dot' ELSE 'doh' END AS way,
    action,
    count(*) AS flows,
    sum(packets) AS packets,
    sum(payload_bytes) AS payload_bytes,
    min(start) AS first,
    max("end") AS last
FROM flows_once
WHERE direction = 'egress'
    AND scope = 'external'
    AND (
        remote_port IN (53, 853)
        OR (
            remote_port = 443
            AND remote_addr IN (
                '1.0.0.1', '1.1.1.1', '8.8.4.4', '8.8.8.8', '9.9.9.9', '149.112.112.112', '208.67.220.220',
                '208.67.222.222', '94.140.14.14', '94.140.15.15', '2001:4860:4860::8844', '2001:4860:4860::8888',
                '2606:4700:4700::1001', '2606:4700:4700::1111', '2620:fe::9', '2620:fe::fe'
            )
        )
    )
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY interface_id, workload, remote_addr, remote_org, way, action
ORDER BY payload_bytes DESC, interface_id, remote_addr, way, action
LIMIT $top
