-- name: new_destinations
-- question: Which destinations of a day were never seen in the days before, by interface?
-- param: day timestamp: the day, from its first moment
-- param: history_days bigint = 14: days before it that are looked at
-- param: top bigint = 100: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: destination: the new destination, a name or a network
-- column: payload_bytes: bytes beyond headers sent to it that day
-- column: flows: flow records
-- column: first: start of the first
-- column: known_to_others: how many other interfaces had met it before
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
),
met AS (
    SELECT
        interface_id,
        workload,
        destination,
        bucket >= $day AS today,
        payload_bytes,
        flows,
        first
    FROM profiles
    WHERE counted
        AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = profiles.interface_id)
        AND direction = 'egress'
        AND bucket >= $day - CAST(concat($history_days, ' days') AS INTERVAL)
        AND bucket < $day + INTERVAL '1 day'
),
before AS (SELECT DISTINCT interface_id, destination FROM met WHERE NOT today),
others AS (SELECT destination, count(*) AS interfaces FROM before GROUP BY destination)
SELECT
    met.interface_id,
    met.workload,
    met.destination,
    sum(met.payload_bytes) AS payload_bytes,
    sum(met.flows) AS flows,
    min(met.first) AS first,
    coalesce(max(others.interfaces), 0) AS known_to_others
FROM met
LEFT ANTI JOIN before ON before.interface_id = met.interface_id AND before.destination = met.destination
LEFT JOIN others ON others.destination = met.destination
WHERE met.today
GROUP BY met.interface_id, met.workload, met.destination
ORDER BY payload_bytes DESC, met.interface_id, met.destination
LIMIT $top
