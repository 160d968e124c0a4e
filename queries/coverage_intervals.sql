-- name: coverage_intervals
-- question: When exactly was data skipped, or none there, by interface, and what was logged around it?
-- param: status text SKIPDATA|NODATA = SKIPDATA: the status, `SKIPDATA` or `NODATA`
-- param: interface text = null: only this interface
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: gap bigint 0..3153600000 = 600: seconds that lie between two windows of one interval at most
-- param: top bigint 1.. = 200: rows at most
-- column: interface_id: the interface
-- column: start: when the interval began
-- column: end: when it ended
-- column: minutes: minutes between
-- column: records: records of this status in it
-- column: flows: flow records of the interface in the hours of the interval, by every flow log
-- column: bytes: bytes of them, headers included
WITH numbered AS (
    SELECT
        interface_id,
        start,
        "end",
        sessionize(start, "end", $gap) OVER (PARTITION BY interface_id ORDER BY start) AS session
    FROM coverage
    WHERE status = $status
        AND ($interface IS NULL OR interface_id = $interface)
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
intervals AS (
    SELECT interface_id, min(start) AS start, max("end") AS "end", count(*) AS records
    FROM numbered
    GROUP BY interface_id, session
)
SELECT
    intervals.interface_id,
    intervals.start,
    intervals."end",
    round(date_part('epoch', intervals."end" - intervals.start) / 60, 1) AS minutes,
    intervals.records,
    coalesce(sum(hours.flows), 0) AS flows,
    coalesce(sum(hours.bytes), 0) AS bytes
FROM intervals
LEFT JOIN hours
    ON hours.interface_id = intervals.interface_id
    AND hours.hour >= date_trunc('hour', intervals.start)
    AND hours.hour <= intervals."end"
GROUP BY intervals.interface_id, intervals.start, intervals."end", intervals.records
ORDER BY intervals.start, intervals.interface_id
LIMIT $top
