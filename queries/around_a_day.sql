-- name: around_a_day
-- question: What did an interface send, day by day, before and since a day, and does it go on?
-- param: interface text: the interface
-- param: day timestamp: the day
-- param: destination text = null: only this destination, a name or a network
-- param: days bigint 1..36500 = 14: days before it
-- column: day: the day
-- column: sent_payload_bytes: bytes beyond headers sent outside
-- column: received_payload_bytes: bytes beyond headers received from outside
-- column: destinations: different destinations
-- column: flows: flow records
-- column: since: whether it is that day or later
SELECT
    day,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress'), 0) AS sent_payload_bytes,
    coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress'), 0) AS received_payload_bytes,
    count(DISTINCT destination) AS destinations,
    sum(flows) AS flows,
    day >= CAST($day AS DATE) AS since
FROM profiles_once
WHERE counted
    AND interface_id = $interface
    AND ($destination IS NULL OR destination = $destination)
    AND bucket >= $day - CAST(concat($days, ' days') AS INTERVAL)
GROUP BY day
ORDER BY day
