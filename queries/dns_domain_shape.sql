-- name: dns_domain_shape
-- question: Which domains have the most different names below them, the longest labels, the most TXT and NULL queries, by client?
-- param: since timestamp = null: what was asked then or later
-- param: until timestamp = null: what was asked before then
-- param: top bigint 1.. = 50: rows at most
-- column: srcaddr: the client
-- column: registered_domain: the domain
-- column: queries: how many queries
-- column: names: different names asked for
-- column: longest_label: characters of the longest label below the domain
-- column: bits: bits that the different names carry, by the model of benign names
-- column: text_share: share of queries for TXT or NULL records, 0 to 1
-- column: nxdomain_share: share answered NXDOMAIN, 0 to 1
-- column: first: the first query
-- column: last: the last
WITH asked AS (
    SELECT
        srcaddr,
        registered_domain,
        query_name,
        count(*) AS queries,
        count(*) FILTER (WHERE query_type IN ('TXT', 'NULL')) AS text_queries,
        count(*) FILTER (WHERE rcode = 'NXDOMAIN') AS nxdomain,
        min(query_timestamp) AS first,
        max(query_timestamp) AS last
    FROM dns
    WHERE registered_domain IS NOT NULL
        AND ($since IS NULL OR query_timestamp >= $since)
        AND ($until IS NULL OR query_timestamp < $until)
    GROUP BY srcaddr, registered_domain, query_name
),
below AS (
    SELECT
        *,
        left(query_name, greatest(length(rtrim(query_name, '.')) - length(registered_domain) - 1, 0)) AS labels
    FROM asked
),
longest AS (
    SELECT srcaddr, registered_domain, max(length(label)) AS longest_label
    FROM (SELECT srcaddr, registered_domain, unnest(string_to_array(labels, '.')) AS label FROM below) AS split
    GROUP BY srcaddr, registered_domain
)
SELECT
    below.srcaddr,
    below.registered_domain,
    sum(queries) AS queries,
    count(*) AS names,
    coalesce(max(longest.longest_label), 0) AS longest_label,
    round(sum(CASE WHEN labels = '' THEN 0 ELSE label_bits(labels) END)) AS bits,
    round(sum(text_queries) / CAST(sum(queries) AS DOUBLE), 3) AS text_share,
    round(sum(nxdomain) / CAST(sum(queries) AS DOUBLE), 3) AS nxdomain_share,
    min(first) AS first,
    max(last) AS last
FROM below
LEFT JOIN longest ON longest.srcaddr = below.srcaddr AND longest.registered_domain = below.registered_domain
GROUP BY below.srcaddr, below.registered_domain
ORDER BY bits DESC, below.srcaddr, below.registered_domain
LIMIT $top
