-- name: rejected_outbound
-- question: Which attempts to get out were refused, by host, port and day of the week?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 100: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: protocol: IANA number
-- column: remote_port: port that was called
-- column: day_of_week: 0 for Sunday to 6 for Saturday
-- column: attempts: flow records refused
-- column: addresses: different addresses called
-- column: first: start of the first
-- column: last: end of the last
SELECT
    interface_id,
    workload,
    protocol,
    remote_port,
    CAST(date_part('dow', start) AS BIGINT) AS day_of_week,
    count(*) AS attempts,
    count(DISTINCT remote_addr) AS addresses,
    min(start) AS first,
    max("end") AS last
FROM flows_once
WHERE action = 'REJECT'
    AND direction = 'egress'
    AND scope = 'external'
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY interface_id, workload, protocol, remote_port, day_of_week
ORDER BY attempts DESC, interface_id, remote_port, day_of_week, protocol
LIMIT $top
