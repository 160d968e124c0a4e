-- name: refused_tcp_by_weekday
-- question: Which TCP connections were refused, by day of the week? (a sample query of Athena's guide)
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 100: rows at most
-- column: day_of_week: 1 for Monday to 7 for Sunday
-- column: date: the day
-- column: interface_id: the interface
-- column: srcaddr: address that sent
-- column: dstaddr: address that was to receive
-- column: dstport: port that was called
-- column: flows: flow records
SELECT
    CAST(date_part('isodow', start) AS BIGINT) AS day_of_week,
    day AS date,
    interface_id,
    srcaddr,
    dstaddr,
    dstport,
    count(*) AS flows
FROM flows_logged
WHERE action = 'REJECT'
    AND protocol = 6
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY day_of_week, date, interface_id, srcaddr, dstaddr, dstport
ORDER BY flows DESC, date, interface_id, srcaddr, dstaddr, dstport
LIMIT $top
