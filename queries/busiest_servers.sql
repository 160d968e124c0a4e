-- name: busiest_servers
-- question: Which servers get the most packets on a port, 443 if none is said? (a sample query of Athena's guide)
-- param: port bigint 0..65535 = 443: the port
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 10: rows at most
-- column: dstaddr: the server
-- column: packets: packets to it
-- column: bytes: bytes to it, headers included
-- column: clients: different addresses that sent them
-- What stays inside is logged at both its ends: the sender's counts.
SELECT
    dstaddr,
    sum(packets) AS packets,
    sum(bytes) AS bytes,
    count(DISTINCT srcaddr) AS clients
FROM flows_once
WHERE dstport = $port
    AND action = 'ACCEPT'
    AND (scope = 'external' OR direction = 'egress')
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY dstaddr
ORDER BY packets DESC, dstaddr
LIMIT $top
