-- name: refused_then_accepted
-- question: Who was refused by a destination and then got through to it, on the same or another port?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: within bigint 0..3153600000 = 3600: seconds from the refusal to the flow that was accepted
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: remote_addr: the address
-- column: refused_port: port that was refused
-- column: accepted_port: port that was accepted
-- column: refused_at: when it was refused last before
-- column: accepted_at: when it got through
-- column: payload_bytes: bytes beyond headers sent then
WITH refused AS (
    SELECT interface_id, remote_addr, remote_port, start
    FROM flows_once
    WHERE action = 'REJECT' AND direction = 'egress' AND scope = 'external'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
accepted AS (
    SELECT interface_id, workload, remote_addr, remote_port, start, payload_bytes
    FROM flows_once
    WHERE action = 'ACCEPT' AND direction = 'egress' AND counted
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
)
SELECT
    accepted.interface_id,
    accepted.workload,
    accepted.remote_addr,
    refused.remote_port AS refused_port,
    accepted.remote_port AS accepted_port,
    max(refused.start) AS refused_at,
    accepted.start AS accepted_at,
    max(accepted.payload_bytes) AS payload_bytes
FROM refused
JOIN accepted
    ON accepted.interface_id = refused.interface_id
    AND accepted.remote_addr = refused.remote_addr
    AND accepted.start >= refused.start
    AND accepted.start <= refused.start + CAST(concat($within, ' seconds') AS INTERVAL)
GROUP BY
    accepted.interface_id,
    accepted.workload,
    accepted.remote_addr,
    refused.remote_port,
    accepted.remote_port,
    accepted.start
ORDER BY payload_bytes DESC, accepted.interface_id, accepted.remote_addr, accepted_at, refused_port
LIMIT $top
