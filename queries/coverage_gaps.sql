-- name: coverage_gaps
-- question: What could we have missed: where do records say that data was skipped or that there was none?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint = 100: rows at most
-- column: interface_id: the interface
-- column: skipdata: records that say data was skipped
-- column: skipdata_minutes: minutes of their windows
-- column: nodata: records that say there was none
-- column: nodata_minutes: minutes of their windows
-- column: first: start of the first
-- column: last: end of the last
SELECT
    interface_id,
    count(*) FILTER (WHERE status = 'SKIPDATA') AS skipdata,
    coalesce(sum(minutes) FILTER (WHERE status = 'SKIPDATA'), 0) AS skipdata_minutes,
    count(*) FILTER (WHERE status = 'NODATA') AS nodata,
    coalesce(sum(minutes) FILTER (WHERE status = 'NODATA'), 0) AS nodata_minutes,
    min(start) AS first,
    max("end") AS last
FROM (
    SELECT interface_id, status, start, "end", round(date_part('epoch', "end" - start) / 60, 1) AS minutes
    FROM coverage
    WHERE true
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
) AS told
GROUP BY interface_id
ORDER BY skipdata_minutes DESC, nodata_minutes DESC, interface_id
LIMIT $top
