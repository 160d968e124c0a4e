-- name: inside_peers
-- question: Whom inside did this host reach, and what did it gather from whom?
-- param: interface text: the interface
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 100: rows at most
-- column: remote_addr: the other address inside
-- column: port: lower of the two ports
-- column: sent_payload_bytes: bytes beyond headers sent to it
-- column: received_payload_bytes: bytes beyond headers received from it
-- column: flows: flow records
-- column: rejected: of them, those refused
-- column: first: start of the first
-- column: last: end of the last
SELECT
    remote_addr,
    least(local_port, remote_port) AS port,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress' AND action = 'ACCEPT'), 0) AS sent_payload_bytes,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress' AND action = 'ACCEPT'), 0) AS received_payload_bytes,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    min(start) AS first,
    max("end") AS last
FROM flows_logged
WHERE interface_id = $interface
    AND scope = 'internal'
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY remote_addr, least(local_port, remote_port)
ORDER BY received_payload_bytes DESC, remote_addr, port
LIMIT $top
