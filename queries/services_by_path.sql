-- name: services_by_path
-- question: Which AWS services are reached by which path, with bytes and what they cost?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: usd_per_gb double = 0.045: price of a gigabyte through a NAT gateway, which paths 2 and 8 may take
-- column: service: the AWS service
-- column: traffic_path: AWS's number of the path: 1 same VPC, 2 internet or gateway endpoint, 3 virtual private gateway, 4 and 5 peering, 6 local gateway, 7 gateway endpoint, 8 internet gateway; null where the log does not tell
-- column: path: the same in words
-- column: interfaces: interfaces that use it
-- column: bytes: bytes sent, headers included
-- column: usd_if_by_nat: what they cost if they went through a NAT gateway; null for paths that do not
SELECT
    remote_service AS service,
    traffic_path,
    CASE traffic_path
        WHEN 1 THEN 'same VPC'
        WHEN 2 THEN 'internet gateway or gateway endpoint'
        WHEN 3 THEN 'virtual private gateway'
        WHEN 4 THEN 'peering within the region'
        WHEN 5 THEN 'peering between regions'
        WHEN 6 THEN 'local gateway'
        WHEN 7 THEN 'gateway endpoint'
        WHEN 8 THEN 'internet gateway'
        ELSE 'not told'
    END AS path,
    count(DISTINCT interface_id) AS interfaces,
    sum(bytes) AS bytes,
    CASE WHEN traffic_path IN (2, 8) THEN round(sum(bytes) / 1e9 * $usd_per_gb, 4) END AS usd_if_by_nat
FROM flows
WHERE remote_service IS NOT NULL
    AND direction = 'egress'
    AND action = 'ACCEPT'
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY remote_service, traffic_path
ORDER BY bytes DESC, service, traffic_path
