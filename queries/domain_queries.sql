-- name: domain_queries
-- question: Who asked for this domain or a name below it, how often, and since when?
-- param: domain text: the domain, as example.com
-- param: since timestamp = null: what was asked then or later
-- param: until timestamp = null: what was asked before then
-- param: top bigint 1.. = 100: rows at most
-- column: srcaddr: the client
-- column: instance: its instance, if the log tells
-- column: vpc_id: its VPC
-- column: queries: how many queries
-- column: names: different names asked for
-- column: first: the first query
-- column: last: the last
SELECT
    srcaddr,
    instance,
    vpc_id,
    count(*) AS queries,
    count(DISTINCT query_name) AS names,
    min(query_timestamp) AS first,
    max(query_timestamp) AS last
FROM dns
WHERE (
        rtrim(lower(query_name), '.') = rtrim(lower($domain), '.')
        OR ends_with(rtrim(lower(query_name), '.'), concat('.', rtrim(lower($domain), '.')))
    )
    AND ($since IS NULL OR query_timestamp >= $since)
    AND ($until IS NULL OR query_timestamp < $until)
GROUP BY srcaddr, instance, vpc_id
ORDER BY queries DESC, srcaddr
LIMIT $top
