-- name: coverage_gaps
-- question: What could we have missed, by interface: what was logged, how many minutes say that data was skipped or that there was none, and which hours have no record at all?
-- param: since timestamp = null: what started then or later, by whole hours for what was logged
-- param: until timestamp = null: what started before then, likewise
-- param: top bigint 1.. = 100: rows at most
-- column: interface_id: the interface
-- column: flows: flow records
-- column: bytes: bytes of them, headers included
-- column: hours: hours in which a flow record began
-- column: hours_without: hours from the first record of any kind to the last in which none began, whatever its status: nobody knows what happened then
-- column: skipdata: records that say data was skipped
-- column: skipdata_minutes: minutes of their windows
-- column: bytes_at_risk: bytes that as many minutes have on average in an hour with flow records; null where there are none
-- column: nodata: records that say there was none
-- column: nodata_minutes: minutes of their windows
-- column: first: start of the first record of any kind
-- column: last: end of the last
-- Of several flow logs of an interface each tells its own gaps; what was logged is of each hour the most that one of them tells: the most records, and the most bytes.
WITH told AS (
    SELECT interface_id, status, start, "end", round(date_part('epoch', "end" - start) / 60, 1) AS minutes
    FROM coverage
    WHERE ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
gaps AS (
    SELECT
        interface_id,
        count(*) FILTER (WHERE status = 'SKIPDATA') AS skipdata,
        coalesce(sum(minutes) FILTER (WHERE status = 'SKIPDATA'), 0) AS skipdata_minutes,
        count(*) FILTER (WHERE status = 'NODATA') AS nodata,
        coalesce(sum(minutes) FILTER (WHERE status = 'NODATA'), 0) AS nodata_minutes,
        min(start) AS first,
        max("end") AS last
    FROM told
    GROUP BY interface_id
),
by_log AS (
    SELECT interface_id, hour, sum(flows) AS flows, sum(bytes) AS bytes, min(first) AS first, max(last) AS last
    FROM hours
    WHERE interface_id IS NOT NULL
        AND ($since IS NULL OR hour >= date_trunc('hour', $since))
        AND ($until IS NULL OR hour < $until)
    GROUP BY interface_id, hour, flow_log_id
),
by_hour AS (
    SELECT interface_id, hour, max(flows) AS flows, max(bytes) AS bytes, min(first) AS first, max(last) AS last
    FROM by_log
    GROUP BY interface_id, hour
),
logged AS (
    SELECT
        interface_id,
        sum(flows) AS flows,
        sum(bytes) AS bytes,
        count(*) AS hours,
        min(first) AS first,
        max(last) AS last
    FROM by_hour
    GROUP BY interface_id
),
spoken AS (
    SELECT
        interface_id,
        count(DISTINCT hour) AS hours,
        CAST(date_part('epoch', max(hour) - min(hour)) / 3600 AS BIGINT) + 1 AS hours_between
    FROM (
        SELECT interface_id, hour FROM by_hour
        UNION ALL
        SELECT interface_id, date_trunc('hour', start) FROM told
    ) AS hours_with_any
    GROUP BY interface_id
)
SELECT
    spoken.interface_id,
    coalesce(logged.flows, 0) AS flows,
    coalesce(logged.bytes, 0) AS bytes,
    coalesce(logged.hours, 0) AS hours,
    spoken.hours_between - spoken.hours AS hours_without,
    coalesce(skipdata, 0) AS skipdata,
    coalesce(skipdata_minutes, 0) AS skipdata_minutes,
    CAST(round(coalesce(skipdata_minutes, 0) * logged.bytes / (logged.hours * 60.0)) AS BIGINT) AS bytes_at_risk,
    coalesce(nodata, 0) AS nodata,
    coalesce(nodata_minutes, 0) AS nodata_minutes,
    least(gaps.first, logged.first) AS first,
    greatest(gaps.last, logged.last) AS last
FROM spoken
LEFT JOIN logged ON logged.interface_id = spoken.interface_id
LEFT JOIN gaps ON gaps.interface_id = spoken.interface_id
ORDER BY skipdata_minutes DESC, hours_without DESC, nodata_minutes DESC, spoken.interface_id
LIMIT $top
