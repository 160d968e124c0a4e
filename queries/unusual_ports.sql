-- name: unusual_ports
-- question: Which ports or protocols does a host use outward that it never used before, or that hardly any host uses?
-- param: day timestamp: the day, from its first moment
-- param: history_days bigint 1..36500 = 14: days before it that are looked at
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: protocol: IANA number
-- column: port: port that was called, below 32768: from there on, it may be one that a client took; null for protocols without
-- column: payload_bytes: bytes beyond headers sent that day
-- column: destinations: different destinations
-- column: hosts_using_it: hosts that use it in all these days
-- column: first: start of the first flow
WITH used AS (
    SELECT
        interface_id,
        sender,
        workload,
        protocol,
        port,
        destination,
        bucket >= $day AS today,
        payload_bytes,
        first
    FROM profiles_once
    WHERE counted
        AND direction = 'egress'
        AND coalesce(initiator, '') <> 'remote'
        AND (port IS NOT NULL OR protocol NOT IN (6, 17))
        AND bucket >= $day - CAST(concat($history_days, ' days') AS INTERVAL)
        AND bucket < $day + INTERVAL '1 day'
),
before AS (SELECT DISTINCT sender, protocol, coalesce(port, -1) AS port FROM used WHERE NOT today),
common AS (
    SELECT protocol, coalesce(port, -1) AS port, count(DISTINCT sender) AS hosts
    FROM used
    GROUP BY protocol, coalesce(port, -1)
)
SELECT
    used.interface_id,
    used.sender,
    used.workload,
    used.protocol,
    used.port,
    sum(used.payload_bytes) AS payload_bytes,
    count(DISTINCT used.destination) AS destinations,
    max(common.hosts) AS hosts_using_it,
    min(used.first) AS first
FROM used
LEFT ANTI JOIN before
    ON before.sender = used.sender
    AND before.protocol = used.protocol
    AND before.port = coalesce(used.port, -1)
JOIN common ON common.protocol = used.protocol AND common.port = coalesce(used.port, -1)
WHERE used.today
GROUP BY used.interface_id, used.sender, used.workload, used.protocol, used.port
ORDER BY hosts_using_it, payload_bytes DESC, used.interface_id, used.sender, used.port, used.protocol
LIMIT $top
