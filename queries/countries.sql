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
-- column: interfaces: interfaces that sent
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
),
weeks AS (
    SELECT
        remote_country,
        remote_asn,
        remote_org,
        interface_id,
        payload_bytes,
        bucket >= $day - INTERVAL '7 days' AS this_week
    FROM profiles
    WHERE counted
        AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = profiles.interface_id)
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
    count(DISTINCT interface_id) AS interfaces
FROM weeks
GROUP BY remote_country, remote_asn, remote_org
ORDER BY payload_bytes DESC, payload_bytes_before DESC, remote_country, remote_asn
LIMIT $top
