-- name: names_of_address
-- question: Under which names was this address given to our hosts, and when?
-- param: ip address: the address
-- param: since timestamp = null: what was asked then or later
-- param: until timestamp = null: what was asked before then
-- param: top bigint 1.. = 100: rows at most
-- column: query_name: the name that was asked for
-- column: registered_domain: the domain that somebody registered
-- column: vpc_id: the VPC that asked
-- column: clients: how many addresses asked
-- column: answers: how many answers had the address
-- column: first: the first of them
-- column: last: the last
WITH answered AS (
    SELECT query_timestamp, query_name, registered_domain, vpc_id, srcaddr, unnest(answers) AS answer
    FROM dns
    WHERE rcode = 'NOERROR'
        AND ($since IS NULL OR query_timestamp >= $since)
        AND ($until IS NULL OR query_timestamp < $until)
)
SELECT
    query_name,
    registered_domain,
    vpc_id,
    count(DISTINCT srcaddr) AS clients,
    count(*) AS answers,
    min(query_timestamp) AS first,
    max(query_timestamp) AS last
FROM answered
WHERE answer['rdata'] = $ip
GROUP BY query_name, registered_domain, vpc_id
ORDER BY answers DESC, query_name, vpc_id
LIMIT $top
