-- name: long_connections
-- question: Which connections last longest, and how long in sum by pair?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: gap bigint 0..3153600000 = 600: seconds without a record that end a connection
-- param: seconds bigint 0..3153600000 = 600: seconds from the first record of a pair to its last, at least
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: remote_addr: address outside
-- column: service_port: port of the side that was called; the lower one where nothing tells
-- column: protocol: IANA number
-- column: connections: connections of the pair
-- column: longest_secs: seconds of the longest
-- column: total_secs: seconds of all together
-- column: sent_payload_bytes: bytes beyond headers sent
-- column: first: when the first began
-- column: last: when the last ended
WITH lasting AS (
    SELECT pair_hash(interface_id, remote_addr) AS pair
    FROM flows_once
    WHERE counted
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
    GROUP BY pair
    HAVING date_part('epoch', max("end") - min(start)) >= $seconds
),
numbered AS (
    SELECT
        interface_id,
        workload,
        local_port,
        flows_once.remote_addr,
        remote_port,
        protocol,
        initiator,
        CASE WHEN direction = 'egress' THEN payload_bytes ELSE 0 END AS sent,
        start,
        "end",
        sessionize(start, "end", $gap) OVER (
            -- The address stands beside the pair's number, so that who chose it for an equal number gains nothing.
            PARTITION BY pair, remote_addr, local_addr, local_port, remote_port, protocol
            ORDER BY start
        ) AS session
    -- The few pairs come first: they are what the join is built of.
    FROM lasting
    JOIN flows_once ON lasting.pair = pair_hash(flows_once.interface_id, flows_once.remote_addr)
    WHERE counted
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
sessions AS (
    SELECT
        interface_id,
        workload,
        remote_addr,
        CASE max(initiator) FILTER (WHERE initiator <> 'unknown')
            WHEN 'local' THEN remote_port
            WHEN 'remote' THEN local_port
            ELSE least(local_port, remote_port)
        END AS port,
        protocol,
        min(start) AS started,
        max("end") AS ended,
        sum(sent) AS sent
    FROM numbered
    GROUP BY interface_id, workload, local_port, remote_addr, remote_port, protocol, session
)
SELECT
    interface_id,
    workload,
    remote_addr,
    port AS service_port,
    protocol,
    count(*) AS connections,
    max(date_part('epoch', ended - started)) AS longest_secs,
    sum(date_part('epoch', ended - started)) AS total_secs,
    sum(sent) AS sent_payload_bytes,
    min(started) AS first,
    max(ended) AS last
FROM sessions
GROUP BY interface_id, workload, remote_addr, port, protocol
ORDER BY longest_secs DESC, total_secs DESC, interface_id, remote_addr, port
LIMIT $top
