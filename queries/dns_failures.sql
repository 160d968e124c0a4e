-- name: dns_failures
-- question: Which clients get the most NXDOMAIN and SERVFAIL, and for which domains?
-- param: since timestamp = null: what was asked then or later
-- param: until timestamp = null: what was asked before then
-- param: top bigint 1.. = 50: rows at most
-- column: srcaddr: the client
-- column: registered_domain: the domain; null for names without
-- column: nxdomain: queries answered NXDOMAIN
-- column: servfail: queries answered SERVFAIL
-- column: queries: all queries
-- column: failed_share: share of them that failed, 0 to 1
-- column: first: the first failure
-- column: last: the last
SELECT
    srcaddr,
    registered_domain,
    count(*) FILTER (WHERE rcode = 'NXDOMAIN') AS nxdomain,
    count(*) FILTER (WHERE rcode = 'SERVFAIL') AS servfail,
    count(*) AS queries,
    round(count(*) FILTER (WHERE rcode IN ('NXDOMAIN', 'SERVFAIL')) / CAST(count(*) AS DOUBLE), 3) AS failed_share,
    min(query_timestamp) FILTER (WHERE rcode IN ('NXDOMAIN', 'SERVFAIL')) AS first,
    max(query_timestamp) FILTER (WHERE rcode IN ('NXDOMAIN', 'SERVFAIL')) AS last
FROM dns
WHERE srcaddr IS NOT NULL
    AND ($since IS NULL OR query_timestamp >= $since)
    AND ($until IS NULL OR query_timestamp < $until)
GROUP BY srcaddr, registered_domain
HAVING count(*) FILTER (WHERE rcode IN ('NXDOMAIN', 'SERVFAIL')) > 0
ORDER BY nxdomain + servfail DESC, srcaddr, registered_domain
LIMIT $top
