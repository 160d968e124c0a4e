-- name: name_before_flow
-- question: Which name did the client resolve just before it talked to this address: what domain is behind it?
-- param: ip address: the address that flows went to
-- param: client address = null: only flows of this address inside
-- param: since timestamp = null: flows that started then or later
-- param: until timestamp = null: flows that started before then
-- param: within bigint 0..3153600000 = 86400: seconds that the answer may lie before the flow, at most
-- param: top bigint 1.. = 200: rows at most
-- column: start: when the flow began
-- column: interface_id: the interface
-- column: client: the address inside that talked to it
-- column: remote_port: port of the other side
-- column: payload_bytes: bytes beyond headers
-- column: name: the name that was asked for last before, by the client itself if it asked for one, else by others of its VPC; null if nobody did
-- column: asked_by: who asked: the client, or another
-- column: asked_at: when
-- column: secs_before: seconds from the answer to the flow
-- column: names: different names that the address was given under to the client, or else to its VPC, in that time: more than one is ambiguous
WITH met AS (
    SELECT start, interface_id, vpc_id, local_addr AS client, remote_port, sum(payload_bytes) AS payload_bytes
    FROM flows_once
    WHERE remote_addr = $ip
        AND direction = 'egress'
        AND action = 'ACCEPT'
        AND ($client IS NULL OR local_addr = $client)
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
    GROUP BY start, interface_id, vpc_id, local_addr, remote_port
),
answered AS (
    SELECT query_timestamp, query_name, vpc_id, srcaddr, unnest(answers) AS answer
    FROM dns
    WHERE rcode = 'NOERROR'
        AND ($since IS NULL OR query_timestamp >= $since - CAST(concat($within, ' seconds') AS INTERVAL))
        AND ($until IS NULL OR query_timestamp < $until)
),
named AS (
    SELECT DISTINCT query_timestamp, rtrim(lower(query_name), '.') AS name, vpc_id, srcaddr
    FROM answered
    WHERE answer['rdata'] = $ip
),
known AS (
    SELECT
        met.start,
        met.interface_id,
        met.vpc_id,
        met.client,
        met.remote_port,
        named.name,
        named.srcaddr AS asked_by,
        named.query_timestamp AS asked_at,
        named.srcaddr = met.client AS by_client
    FROM met
    JOIN named
        ON (named.srcaddr = met.client OR named.vpc_id = met.vpc_id)
        -- Private addresses are the same ones in many VPCs.
        AND (met.vpc_id IS NULL OR named.vpc_id IS NULL OR named.vpc_id = met.vpc_id)
        AND named.query_timestamp <= met.start
        AND named.query_timestamp >= met.start - CAST(concat($within, ' seconds') AS INTERVAL)
),
ranked AS (
    SELECT
        known.*,
        row_number() OVER (
            PARTITION BY start, interface_id, vpc_id, client, remote_port ORDER BY coalesce(by_client, false) DESC, asked_at DESC, name, asked_by
        ) AS place
    FROM known
),
ambiguous AS (
    SELECT
        start,
        interface_id,
        vpc_id,
        client,
        remote_port,
        count(DISTINCT name) FILTER (WHERE by_client) AS own,
        count(DISTINCT name) AS any_of_vpc
    FROM known
    GROUP BY start, interface_id, vpc_id, client, remote_port
)
SELECT
    met.start,
    met.interface_id,
    met.client,
    met.remote_port,
    met.payload_bytes,
    ranked.name,
    ranked.asked_by,
    ranked.asked_at,
    CAST(date_part('epoch', met.start - ranked.asked_at) AS BIGINT) AS secs_before,
    CASE WHEN ambiguous.own > 0 THEN ambiguous.own ELSE coalesce(ambiguous.any_of_vpc, 0) END AS names
FROM met
LEFT JOIN ranked
    ON ranked.place = 1
    AND ranked.start = met.start
    AND (ranked.interface_id IS NOT DISTINCT FROM met.interface_id)
    AND (ranked.vpc_id IS NOT DISTINCT FROM met.vpc_id)
    AND ranked.client = met.client
    AND (ranked.remote_port IS NOT DISTINCT FROM met.remote_port)
LEFT JOIN ambiguous
    ON ambiguous.start = met.start
    AND (ambiguous.interface_id IS NOT DISTINCT FROM met.interface_id)
    AND (ambiguous.vpc_id IS NOT DISTINCT FROM met.vpc_id)
    AND ambiguous.client = met.client
    AND (ambiguous.remote_port IS NOT DISTINCT FROM met.remote_port)
ORDER BY met.start, met.interface_id, met.client, met.remote_port
LIMIT $top
