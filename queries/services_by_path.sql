-- name: services_by_path
-- question: Which AWS services are reached by which path, with bytes and what they cost?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: usd_per_gb double 0..1000000 = 0.045: price of a gigabyte that a NAT gateway processes, either way
-- column: service: the AWS service
-- column: traffic_path: AWS's number of the path: 1 another resource in the same VPC (a NAT gateway, the interface of an endpoint or the like), 2 internet gateway or gateway endpoint, 3 virtual private gateway, 4 and 5 peering, 6 local gateway, 7 gateway endpoint, 8 internet gateway; null where the log does not tell, and for what a gateway passed on
-- column: path: the same in words; what hosts sent by way of a gateway is told twice: as they saw it, and as `passed on by a gateway`
-- column: interfaces: interfaces that use it, or gateways
-- column: sent_bytes: bytes to the service, headers included
-- column: received_bytes: bytes from it; told of gateways alone, as records do not say by which path bytes came
-- column: usd: what a NAT gateway costs for both; null for the rest. Other gateways have other prices
WITH told AS (
    SELECT
        remote_service AS service,
        traffic_path,
        'host' AS point,
        direction,
        interface_id,
        bytes
    FROM flows_once
    WHERE remote_service IS NOT NULL
        AND direction = 'egress'
        AND action = 'ACCEPT'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
    UNION ALL
    SELECT remote_service, NULL, 'gateway', direction, interface_id, bytes
    FROM flows_logged
    WHERE remote_service IS NOT NULL
        AND via = 'received'
        AND action = 'ACCEPT'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
)
SELECT
    service,
    traffic_path,
    CASE
        WHEN point = 'gateway' THEN 'passed on by a gateway'
        WHEN traffic_path = 1 THEN 'another resource in the same VPC'
        WHEN traffic_path = 2 THEN 'internet gateway or gateway endpoint'
        WHEN traffic_path = 3 THEN 'virtual private gateway'
        WHEN traffic_path = 4 THEN 'peering within the region'
        WHEN traffic_path = 5 THEN 'peering with another region'
        WHEN traffic_path = 6 THEN 'local gateway'
        WHEN traffic_path = 7 THEN 'gateway endpoint'
        WHEN traffic_path = 8 THEN 'internet gateway'
        ELSE 'not told'
    END AS path,
    count(DISTINCT interface_id) AS interfaces,
    coalesce(sum(bytes) FILTER (WHERE direction = 'egress'), 0) AS sent_bytes,
    sum(bytes) FILTER (WHERE direction = 'ingress') AS received_bytes,
    CASE WHEN point = 'gateway' THEN round(sum(bytes) / 1e9 * $usd_per_gb, 4) END AS usd
FROM told
GROUP BY service, traffic_path, point
ORDER BY sent_bytes DESC, service, point, traffic_path
