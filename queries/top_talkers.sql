-- name: top_talkers
-- question: Who sent the most payload out to addresses outside, by interface and destination?
-- param: since timestamp = null: what started then or later, by whole ten minutes
-- param: until timestamp = null: what started before then, by whole ten minutes
-- param: top bigint 1.. = 20: rows at most
-- column: interface_id: the interface that sent, or through which a host without log of its own did
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: destination: the group of addresses that it sent to, a name or a network
-- column: payload_bytes: bytes beyond headers that crossed the border outward, each counted once
-- column: flows: flow records
-- column: first: start of the first
-- column: last: end of the last
SELECT
    interface_id,
    sender,
    workload,
    destination,
    sum(payload_bytes) AS payload_bytes,
    sum(flows) AS flows,
    min(first) AS first,
    max(last) AS last
FROM profiles_once
WHERE counted
    AND direction = 'egress'
    AND ($since IS NULL OR bucket > $since - INTERVAL '10 minutes')
    AND ($until IS NULL OR bucket < $until)
GROUP BY interface_id, sender, workload, destination
ORDER BY payload_bytes DESC, interface_id, sender, destination
LIMIT $top
