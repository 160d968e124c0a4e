-- name: one_way_uploads
-- question: Which connections were large uploads with little coming back?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: bytes bigint 0.. = 10000000: bytes beyond headers sent, at least
-- param: pcr double -1..1 = 0.8: producer-consumer ratio, at least
-- param: gap bigint 0..3153600000 = 600: seconds without a record that end a connection
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: local_addr: address on its side
-- column: remote_addr: address outside
-- column: remote_port: port outside
-- column: protocol: IANA number
-- column: started: when the connection began
-- column: ended: when it ended
-- column: sent_payload_bytes: bytes beyond headers sent
-- column: received_payload_bytes: bytes beyond headers received
-- column: pcr: (sent - received) / (sent + received)
WITH heavy AS (
    SELECT interface_id, remote_addr
    FROM flows_once
    WHERE counted
        AND direction = 'egress'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
    GROUP BY interface_id, remote_addr
    HAVING sum(payload_bytes) >= $bytes
),
numbered AS (
    SELECT
        flows_once.interface_id,
        workload,
        local_addr,
        local_port,
        flows_once.remote_addr,
        remote_port,
        protocol,
        direction,
        payload_bytes,
        start,
        "end",
        sessionize(start, "end", $gap) OVER (
            PARTITION BY flows_once.interface_id, local_addr, local_port, flows_once.remote_addr, remote_port, protocol
            ORDER BY start
        ) AS session
    -- The few pairs come first: they are what the join is built of.
    FROM heavy
    JOIN flows_once
        ON heavy.interface_id = flows_once.interface_id
        AND heavy.remote_addr = flows_once.remote_addr
    WHERE counted
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
sessions AS (
    SELECT
        interface_id,
        workload,
        local_addr,
        local_port,
        remote_addr,
        remote_port,
        protocol,
        session,
        min(start) AS started,
        max("end") AS ended,
        coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress'), 0) AS sent_payload_bytes,
        coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress'), 0) AS received_payload_bytes
    FROM numbered
    GROUP BY interface_id, workload, local_addr, local_port, remote_addr, remote_port, protocol, session
)
SELECT
    interface_id,
    workload,
    local_addr,
    remote_addr,
    remote_port,
    protocol,
    started,
    ended,
    sent_payload_bytes,
    received_payload_bytes,
    round(pcr(sent_payload_bytes, received_payload_bytes), 3) AS pcr
FROM sessions
WHERE sent_payload_bytes >= $bytes
    AND pcr(sent_payload_bytes, received_payload_bytes) >= $pcr
ORDER BY sent_payload_bytes DESC, interface_id, remote_addr, started
LIMIT $top
