-- name: top_talkers
-- question: Who sent the most payload out to addresses outside, by interface and destination?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint = 20: rows at most
-- column: interface_id: the interface that sent
-- column: workload: what it belongs to
-- column: destination: the group of addresses that it sent to, a name or a network
-- column: payload_bytes: bytes beyond headers that crossed the border outward, each counted once
-- column: flows: flow records
-- column: first: start of the first
-- column: last: end of the last
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
)
SELECT
    interface_id,
    workload,
    destination,
    sum(payload_bytes) AS payload_bytes,
    sum(flows) AS flows,
    min(first) AS first,
    max(last) AS last
FROM profiles
WHERE counted
    AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = profiles.interface_id)
    AND direction = 'egress'
    AND ($since IS NULL OR bucket >= $since)
    AND ($until IS NULL OR bucket < $until)
GROUP BY interface_id, workload, destination
ORDER BY payload_bytes DESC, interface_id, destination
LIMIT $top
