-- name: countries
-- question: Into which countries and networks do bytes go, and how does that compare with the week before?
-- param: day timestamp: the day after the week that is looked at
-- param: top bigint = 50: rows at most
-- column: remote_country: country, ISO 3166-1 alpha-2; null where it is not known
-- column: remote_asn: number of the network
-- column: remote_org: who runs it
-- column: payload_bytes: bytes beyond headers sent in the week before `day`
-- column: payload_bytes_before: the same in the week before that
-- column: change: the difference
-- column: hosts: hosts that sent
WITH weeks AS (
    SELECT
        remote_country,
        remote_asn,
        remote_org,
        sender,
        payload_bytes,
        bucket >= $day - INTERVAL '7 days' AS this_week
    FROM profiles_once
    WHERE counted
        AND direction = 'egress'
        AND bucket >= $day - INTERVAL '14 days'
        AND bucket < $day
)
SELECT
    remote_country,
    remote_asn,
    remote_org,
    coalesce(sum(payload_bytes) FILTER (WHERE this_week), 0) AS payload_bytes,
    coalesce(sum(payload_bytes) FILTER (WHERE NOT this_week), 0) AS payload_bytes_before,
    sum(CASE WHEN this_week THEN payload_bytes ELSE -payload_bytes END) AS change,
    count(DISTINCT sender) AS hosts
FROM weeks
GROUP BY remote_country, remote_asn, remote_org
ORDER BY payload_bytes DESC, payload_bytes_before DESC, remote_country, remote_asn
LIMIT $top
