-- name: pair_bytes
-- question: How many bytes went each way between two addresses, and on which ports?
-- param: a address: one address
-- param: b address: the other
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- column: service_port: port of the side that was called; the lower one where nothing tells, null for protocols without
-- column: protocol: IANA number
-- column: a_to_b_bytes: bytes that `a` sent and that were let through, headers included
-- column: b_to_a_bytes: bytes that `b` sent
-- column: a_to_b_packets: packets that `a` sent
-- column: b_to_a_packets: packets that `b` sent
-- column: flows: flow records
-- column: rejected: of them, those refused
-- column: first: start of the first
-- column: last: end of the last
-- Where both sides are inside, both interfaces log the bytes: of each day, the one that logged more records tells.
WITH seen AS (
    SELECT
        day,
        interface_id,
        CASE initiator
            WHEN 'local' THEN remote_port
            WHEN 'remote' THEN local_port
            ELSE least(srcport, dstport)
        END AS service_port,
        protocol,
        srcaddr = $a AS from_a,
        action = 'ACCEPT' AS passed,
        bytes,
        packets,
        action,
        start,
        "end"
    FROM flows_logged
    WHERE ((srcaddr = $a AND dstaddr = $b) OR (srcaddr = $b AND dstaddr = $a))
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
observers AS (
    SELECT day, interface_id, row_number() OVER (PARTITION BY day ORDER BY count(*) DESC, interface_id) AS place
    FROM seen
    GROUP BY day, interface_id
)
SELECT
    service_port,
    protocol,
    coalesce(sum(bytes) FILTER (WHERE passed AND from_a), 0) AS a_to_b_bytes,
    coalesce(sum(bytes) FILTER (WHERE passed AND NOT from_a), 0) AS b_to_a_bytes,
    coalesce(sum(packets) FILTER (WHERE passed AND from_a), 0) AS a_to_b_packets,
    coalesce(sum(packets) FILTER (WHERE passed AND NOT from_a), 0) AS b_to_a_packets,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    min(start) AS first,
    max("end") AS last
FROM seen
JOIN observers
    ON observers.place = 1
    AND observers.day = seen.day
    AND observers.interface_id IS NOT DISTINCT FROM seen.interface_id
GROUP BY service_port, protocol
ORDER BY a_to_b_bytes + b_to_a_bytes DESC, service_port, protocol
