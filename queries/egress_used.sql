-- name: egress_used
-- question: Which protocols, ports and destinations did hosts use outward: what must their security groups allow?
-- param: since timestamp = null: what started then or later, by whole ten minutes
-- param: until timestamp = null: what started before then, by whole ten minutes
-- param: interface text = null: only this interface
-- param: top bigint 1.. = 200: rows at most
-- column: workload: what the interfaces belong to
-- column: protocol: IANA number
-- column: port: port that was called; null for protocols without, and where it is one that clients take and nothing proves the call
-- column: destination: the destination, a name or a network; null inside
-- column: scope: `external` or `internal`
-- column: hosts: hosts that used it
-- column: flows: flow records
-- column: bytes: bytes, headers included
-- column: first: start of the first
-- column: last: end of the last
SELECT
    workload,
    protocol,
    port,
    destination,
    scope,
    count(DISTINCT sender) AS hosts,
    sum(flows) AS flows,
    sum(bytes) AS bytes,
    min(first) AS first,
    max(last) AS last
FROM profiles_once
WHERE direction = 'egress'
    AND action = 'ACCEPT'
    AND coalesce(initiator, '') <> 'remote'
    AND ($interface IS NULL OR interface_id = $interface)
    AND ($since IS NULL OR bucket > $since - INTERVAL '10 minutes')
    AND ($until IS NULL OR bucket < $until)
GROUP BY workload, protocol, port, destination, scope
ORDER BY bytes DESC, workload, protocol, port, destination
LIMIT $top
