-- name: unusual_ports
-- question: Which ports or protocols does a host use outward that it never used before, or that hardly any host uses?
-- param: day timestamp: the day, from its first moment
-- param: history_days bigint = 14: days before it that are looked at
-- param: top bigint = 50: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: protocol: IANA number
-- column: port: port that was called; null for protocols without
-- column: payload_bytes: bytes beyond headers sent that day
-- column: destinations: different destinations
-- column: interfaces_using_it: interfaces that use it in all these days
-- column: first: start of the first flow
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
),
used AS (
    SELECT
        interface_id,
        workload,
        protocol,
        port,
        destination,
        bucket >= $day AS today,
        payload_bytes,
        first
    FROM profiles
    WHERE counted
        AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = profiles.interface_id)
        AND direction = 'egress'
        AND (port IS NOT NULL OR protocol NOT IN (6, 17))
        AND bucket >= $day - CAST(concat($history_days, ' days') AS INTERVAL)
        AND bucket < $day + INTERVAL '1 day'
),
before AS (SELECT DISTINCT interface_id, protocol, coalesce(port, -1) AS port FROM used WHERE NOT today),
common AS (
    SELECT protocol, coalesce(port, -1) AS port, count(DISTINCT interface_id) AS interfaces
    FROM used
    GROUP BY protocol, coalesce(port, -1)
)
SELECT
    used.interface_id,
    used.workload,
    used.protocol,
    used.port,
    sum(used.payload_bytes) AS payload_bytes,
    count(DISTINCT used.destination) AS destinations,
    max(common.interfaces) AS interfaces_using_it,
    min(used.first) AS first
FROM used
LEFT ANTI JOIN before
    ON before.interface_id = used.interface_id
    AND before.protocol = used.protocol
    AND before.port = coalesce(used.port, -1)
JOIN common ON common.protocol = used.protocol AND common.port = coalesce(used.port, -1)
WHERE used.today
GROUP BY used.interface_id, used.workload, used.protocol, used.port
ORDER BY interfaces_using_it, payload_bytes DESC, used.interface_id, used.port, used.protocol
LIMIT $top
