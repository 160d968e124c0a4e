-- name: countries
-- question: Which countries and networks get the most bytes from us, and how does that compare with the week before?
-- param: day timestamp = null: the day after the week that is looked at; without it, the day after the last one that there are records of
-- param: by text country|network|both = both: what is told apart, `country`, `network` or `both`
-- param: top bigint 1.. = 50: rows at most
-- column: remote_country: country, ISO 3166-1 alpha-2; null where it is not known, and by `network`
-- column: remote_asn: number of the network; null where it is not known, and by `country`
-- column: remote_org: who runs it, likewise
-- column: payload_bytes: bytes beyond headers sent in the week before `day`
-- column: share: of all that were sent in it, 0 to 1
-- column: payload_bytes_before: bytes beyond headers sent in the week before that
-- column: change: the difference
-- column: times: the week by the one before it; null for what is new
-- column: new: whether no host sent there in the week before
-- column: hosts: hosts that sent in the week
-- column: hosts_before: hosts that sent in the week before
-- Countries and networks are those of the folder of --context when the lake was made; without one, all is one row that is not known.
WITH ends AS (
    SELECT coalesce($day, date_trunc('day', max(bucket)) + INTERVAL '1 day') AS day
    FROM profiles
    WHERE direction = 'egress'
),
weeks AS (
    SELECT
        CASE WHEN $by <> 'network' THEN remote_country END AS remote_country,
        CASE WHEN $by <> 'country' THEN remote_asn END AS remote_asn,
        CASE WHEN $by <> 'country' THEN remote_org END AS remote_org,
        sender,
        payload_bytes,
        bucket >= ends.day - INTERVAL '7 days' AS this_week
    FROM profiles_once
    CROSS JOIN ends
    WHERE counted
        AND direction = 'egress'
        AND bucket >= ends.day - INTERVAL '14 days'
        AND bucket < ends.day
),
sums AS (
    SELECT
        remote_country,
        remote_asn,
        remote_org,
        coalesce(sum(payload_bytes) FILTER (WHERE this_week), 0) AS payload_bytes,
        coalesce(sum(payload_bytes) FILTER (WHERE NOT this_week), 0) AS payload_bytes_before,
        count(DISTINCT sender) FILTER (WHERE this_week) AS hosts,
        count(DISTINCT sender) FILTER (WHERE NOT this_week) AS hosts_before
    FROM weeks
    GROUP BY remote_country, remote_asn, remote_org
)
SELECT
    remote_country,
    remote_asn,
    remote_org,
    payload_bytes,
    round(payload_bytes / nullif(CAST(sum(payload_bytes) OVER () AS DOUBLE), 0), 4) AS share,
    payload_bytes_before,
    payload_bytes - payload_bytes_before AS change,
    round(payload_bytes / nullif(CAST(payload_bytes_before AS DOUBLE), 0), 2) AS times,
    hosts_before = 0 AS new,
    hosts,
    hosts_before
FROM sums
ORDER BY payload_bytes DESC, payload_bytes_before DESC, remote_country, remote_asn, remote_org
LIMIT $top
