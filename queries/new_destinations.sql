-- name: new_destinations
-- question: Which destinations of a day were never seen in the days before, by interface?
-- param: day timestamp: the day, from its first moment
-- param: history_days bigint 1..36500 = 14: days before it that are looked at
-- param: top bigint 1.. = 100: rows at most
-- column: interface_id: the interface
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: destination: the new destination, a name or a network
-- column: payload_bytes: bytes beyond headers sent to it that day
-- column: flows: flow records
-- column: first: start of the first
-- column: known_to_others: how many other hosts had met it before
WITH met AS (
    SELECT
        interface_id,
        sender,
        workload,
        destination,
        bucket >= $day AS today,
        payload_bytes,
        flows,
        first
    FROM profiles_once
    WHERE counted
        AND direction = 'egress'
        AND coalesce(initiator, '') <> 'remote'
        AND bucket >= $day - CAST(concat($history_days, ' days') AS INTERVAL)
        AND bucket < $day + INTERVAL '1 day'
),
before AS (SELECT DISTINCT sender, destination FROM met WHERE NOT today),
others AS (SELECT destination, count(*) AS hosts FROM before GROUP BY destination)
SELECT
    met.interface_id,
    met.sender,
    met.workload,
    met.destination,
    sum(met.payload_bytes) AS payload_bytes,
    sum(met.flows) AS flows,
    min(met.first) AS first,
    coalesce(max(others.hosts), 0) AS known_to_others
FROM met
LEFT ANTI JOIN before ON before.sender = met.sender AND before.destination = met.destination
LEFT JOIN others ON others.destination = met.destination
WHERE met.today
GROUP BY met.interface_id, met.sender, met.workload, met.destination
ORDER BY payload_bytes DESC, met.interface_id, met.sender, met.destination
LIMIT $top
