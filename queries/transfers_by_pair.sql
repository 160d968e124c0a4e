-- name: transfers_by_pair
-- question: How many bytes went from which address to which, in all and by record? (sample queries of CloudWatch Logs Insights)
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 10: rows at most
-- column: srcaddr: address that sent
-- column: dstaddr: address that received
-- column: bytes: bytes, headers included
-- column: bytes_mean: mean of a record
-- column: bytes_least: the least of a record
-- column: bytes_most: the most of a record
-- What stays inside is logged at both its ends: the sender's counts.
SELECT
    srcaddr,
    dstaddr,
    sum(bytes) AS bytes,
    round(avg(bytes), 1) AS bytes_mean,
    min(bytes) AS bytes_least,
    max(bytes) AS bytes_most
FROM flows_once
WHERE action = 'ACCEPT'
    AND (scope = 'external' OR direction = 'egress')
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY srcaddr, dstaddr
ORDER BY bytes DESC, srcaddr, dstaddr
LIMIT $top
