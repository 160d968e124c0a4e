-- name: staging
-- question: Whom inside did a suspect reach before it sent data out, what did it gather from whom, and whom had it never met before?
-- param: interface text: the interface of the suspect, or the address of a host without a log of its own
-- param: out_at timestamp: when data went out
-- param: hours bigint 1..876000 = 72: hours before it that are looked at
-- param: history_days bigint 0..36500 = 14: days before those hours: whom it met then is not new
-- param: top bigint 1.. = 100: rows at most
-- column: remote_addr: the other address inside
-- column: peer: the interface that has it, by the records themselves: one in the VPC of the suspect, else one of a VPC that alone has the address; null if no log tells, or several VPCs have it
-- column: peer_workload: what that belongs to
-- column: opened_by: who called: `suspect`, `peer`, or null where nothing tells
-- column: port: port that was called; the lower one where nothing tells
-- column: gathered_payload_bytes: bytes beyond headers that the suspect received
-- column: sent_payload_bytes: bytes beyond headers that it sent there
-- column: flows: flow records
-- column: rejected: of them, those refused
-- column: first: start of the first
-- column: last: end of the last
-- column: new: whether it had not met this address in the days before
-- column: peers: addresses inside that it exchanged anything with in these hours
-- column: gathered_in_all: bytes beyond headers that it received from all of them
-- column: sent_outside_before: bytes beyond headers that it sent outside in these hours
-- column: sent_outside_then: bytes beyond headers that it sent outside in as many hours from `out_at` on
WITH seen AS (
    SELECT
        scope,
        vpc_id,
        remote_addr,
        start >= $out_at AS later,
        start >= $out_at - CAST(concat($hours, ' hours') AS INTERVAL) AS close,
        direction,
        action,
        initiator,
        local_port,
        remote_port,
        payload_bytes,
        start,
        "end"
    FROM flows_once
    WHERE sender = $interface
        AND start >= $out_at - CAST(concat($hours, ' hours') AS INTERVAL) - CAST(concat($history_days, ' days') AS INTERVAL)
        AND start < $out_at + CAST(concat($hours, ' hours') AS INTERVAL)
),
met_before AS (
    SELECT DISTINCT remote_addr FROM seen WHERE scope = 'internal' AND NOT close
),
inside AS (
    SELECT
        remote_addr,
        CASE initiator WHEN 'local' THEN 'suspect' WHEN 'remote' THEN 'peer' END AS opened_by,
        CASE initiator
            WHEN 'local' THEN remote_port
            WHEN 'remote' THEN local_port
            ELSE least(local_port, remote_port)
        END AS port,
        coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress' AND action = 'ACCEPT'), 0) AS gathered,
        coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress' AND action = 'ACCEPT'), 0) AS sent,
        count(*) AS flows,
        count(*) FILTER (WHERE action = 'REJECT') AS rejected,
        min(start) AS first,
        max("end") AS last
    FROM seen
    WHERE scope = 'internal' AND close AND NOT later
    GROUP BY 1, 2, 3
),
-- Where the suspect is; the first by name, if it is an address that several VPCs have.
home AS (
    SELECT min(vpc_id) AS vpc_id FROM seen
),
-- Who has the addresses, by VPC: private ones mean another host in each.
having_it AS (
    SELECT
        flows.local_addr,
        flows.vpc_id,
        coalesce(flows.vpc_id = home.vpc_id, false) AS at_home,
        min(flows.interface_id) AS interface_id,
        min(flows.workload) AS workload
    FROM flows
    CROSS JOIN home
    WHERE flows.via = 'own'
        AND flows.local_addr IN (SELECT remote_addr FROM inside)
        AND flows.start >= $out_at - CAST(concat($hours, ' hours') AS INTERVAL)
        AND flows.start < $out_at
    GROUP BY 1, 2, 3
),
owners AS (
    SELECT
        local_addr,
        coalesce(
            min(interface_id) FILTER (WHERE at_home),
            CASE WHEN count(DISTINCT vpc_id) <= 1 THEN min(interface_id) END
        ) AS interface_id,
        coalesce(
            min(workload) FILTER (WHERE at_home),
            CASE WHEN count(DISTINCT vpc_id) <= 1 THEN min(workload) END
        ) AS workload
    FROM having_it
    GROUP BY local_addr
),
totals AS (
    SELECT
        count(DISTINCT remote_addr) FILTER (WHERE scope = 'internal' AND NOT later) AS peers,
        coalesce(sum(payload_bytes) FILTER (
            WHERE scope = 'internal' AND NOT later AND direction = 'ingress' AND action = 'ACCEPT'
        ), 0) AS gathered,
        coalesce(sum(payload_bytes) FILTER (
            WHERE scope = 'external' AND NOT later AND direction = 'egress' AND action = 'ACCEPT'
        ), 0) AS out_before,
        coalesce(sum(payload_bytes) FILTER (
            WHERE scope = 'external' AND later AND direction = 'egress' AND action = 'ACCEPT'
        ), 0) AS out_then
    FROM seen
    WHERE close
)
SELECT
    inside.remote_addr,
    owners.interface_id AS peer,
    owners.workload AS peer_workload,
    inside.opened_by,
    inside.port,
    inside.gathered AS gathered_payload_bytes,
    inside.sent AS sent_payload_bytes,
    inside.flows,
    inside.rejected,
    inside.first,
    inside.last,
    met_before.remote_addr IS NULL AS new,
    totals.peers,
    totals.gathered AS gathered_in_all,
    totals.out_before AS sent_outside_before,
    totals.out_then AS sent_outside_then
FROM inside
CROSS JOIN totals
LEFT JOIN met_before ON met_before.remote_addr = inside.remote_addr
LEFT JOIN owners ON owners.local_addr = inside.remote_addr
ORDER BY gathered_payload_bytes DESC, inside.remote_addr, inside.port, inside.opened_by
LIMIT $top
