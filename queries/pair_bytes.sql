-- name: pair_bytes
-- question: How many bytes went each way between two addresses, and on which ports?
-- param: a text: one address
-- param: b text: the other
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- column: service_port: port of the side that was called; null where neither looks like one
-- column: protocol: IANA number
-- column: a_to_b_bytes: bytes that `a` sent, headers included
-- column: b_to_a_bytes: bytes that `b` sent
-- column: a_to_b_packets: packets that `a` sent
-- column: b_to_a_packets: packets that `b` sent
-- column: flows: flow records
-- column: rejected: of them, those refused
-- column: first: start of the first
-- column: last: end of the last
-- Where both sides are inside, both interfaces log the bytes: the one that logged more records tells.
WITH seen AS (
    SELECT
        interface_id,
        least(srcport, dstport) AS service_port,
        protocol,
        srcaddr = $a AS from_a,
        bytes,
        packets,
        action,
        start,
        "end"
    FROM flows
    WHERE ((srcaddr = $a AND dstaddr = $b) OR (srcaddr = $b AND dstaddr = $a))
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
observer AS (
    SELECT interface_id FROM seen GROUP BY interface_id ORDER BY count(*) DESC, interface_id LIMIT 1
)
SELECT
    service_port,
    protocol,
    coalesce(sum(bytes) FILTER (WHERE from_a), 0) AS a_to_b_bytes,
    coalesce(sum(bytes) FILTER (WHERE NOT from_a), 0) AS b_to_a_bytes,
    coalesce(sum(packets) FILTER (WHERE from_a), 0) AS a_to_b_packets,
    coalesce(sum(packets) FILTER (WHERE NOT from_a), 0) AS b_to_a_packets,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    min(start) AS first,
    max("end") AS last
FROM seen
WHERE interface_id IN (SELECT interface_id FROM observer)
GROUP BY service_port, protocol
ORDER BY a_to_b_bytes + b_to_a_bytes DESC, service_port, protocol
