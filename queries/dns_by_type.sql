-- name: dns_by_type
-- question: How many DNS queries of each type and outcome were there, by hour?
-- param: since timestamp = null: what was asked then or later
-- param: until timestamp = null: what was asked before then
-- param: client address = null: only those of this address
-- column: hour: the hour
-- column: query_type: type of record asked for
-- column: rcode: outcome
-- column: queries: how many
-- column: clients: addresses that asked
SELECT
    date_trunc('hour', query_timestamp) AS hour,
    query_type,
    rcode,
    count(*) AS queries,
    count(DISTINCT srcaddr) AS clients
FROM dns
WHERE ($client IS NULL OR srcaddr = $client)
    AND ($since IS NULL OR query_timestamp >= $since)
    AND ($until IS NULL OR query_timestamp < $until)
GROUP BY hour, query_type, rcode
ORDER BY hour, query_type, rcode
