-- name: who_talked_to
-- question: Which hosts talked to this address, and when first and last?
-- param: ip address: the address
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- column: interface_id: the interface
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: first: start of the first flow
-- column: last: end of the last
-- column: days: days on which it did
-- column: sent_payload_bytes: bytes beyond headers to it
-- column: received_payload_bytes: bytes beyond headers from it
-- column: flows: flow records
-- column: rejected: of them, those refused
SELECT
    interface_id,
    sender,
    workload,
    min(start) AS first,
    max("end") AS last,
    count(DISTINCT day) AS days,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress' AND action = 'ACCEPT'), 0) AS sent_payload_bytes,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress' AND action = 'ACCEPT'), 0) AS received_payload_bytes,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected
FROM flows_once
WHERE remote_addr = $ip
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY interface_id, sender, workload
ORDER BY first, interface_id, sender
