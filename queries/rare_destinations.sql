-- name: rare_destinations
-- question: Which destinations do only one or two of our hosts contact?
-- param: since timestamp = null: what started then or later, by whole ten minutes
-- param: until timestamp = null: what started before then, by whole ten minutes
-- param: hosts bigint 1.. = 2: hosts at most
-- param: top bigint 1.. = 100: rows at most
-- column: destination: the destination, a name or a network
-- column: hosts: how many hosts contact it
-- column: a_host: one of them: its interface, or its address if it has no log of its own
-- column: payload_bytes: bytes beyond headers sent to it
-- column: flows: flow records
-- column: first: start of the first
-- column: last: end of the last
SELECT
    destination,
    count(DISTINCT sender) AS hosts,
    min(sender) AS a_host,
    sum(payload_bytes) AS payload_bytes,
    sum(flows) AS flows,
    min(first) AS first,
    max(last) AS last
FROM profiles_once
WHERE counted
    AND direction = 'egress'
    AND coalesce(initiator, '') <> 'remote'
    AND ($since IS NULL OR bucket > $since - INTERVAL '10 minutes')
    AND ($until IS NULL OR bucket < $until)
GROUP BY destination
HAVING count(DISTINCT sender) <= $hosts
ORDER BY payload_bytes DESC, destination
LIMIT $top
