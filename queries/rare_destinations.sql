-- name: rare_destinations
-- question: Which destinations do only one or two of our hosts contact?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: hosts bigint = 2: interfaces at most
-- param: top bigint = 100: rows at most
-- column: destination: the destination, a name or a network
-- column: interfaces: how many interfaces contact it
-- column: an_interface: one of them, the first by id
-- column: payload_bytes: bytes beyond headers sent to it
-- column: flows: flow records
-- column: first: start of the first
-- column: last: end of the last
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
)
SELECT
    destination,
    count(DISTINCT interface_id) AS interfaces,
    min(interface_id) AS an_interface,
    sum(payload_bytes) AS payload_bytes,
    sum(flows) AS flows,
    min(first) AS first,
    max(last) AS last
FROM profiles
WHERE counted
    AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = profiles.interface_id)
    AND direction = 'egress'
    AND ($since IS NULL OR bucket >= $since)
    AND ($until IS NULL OR bucket < $until)
GROUP BY destination
HAVING count(DISTINCT interface_id) <= $hosts
ORDER BY payload_bytes DESC, destination
LIMIT $top
