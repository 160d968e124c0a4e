-- name: long_connections
-- question: Which connections last longest, and how long in sum by pair?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: gap bigint = 600: seconds without a record that end a connection
-- param: top bigint = 50: rows at most
-- column: interface_id: the interface
-- column: workload: what it belongs to
-- column: remote_addr: address outside
-- column: remote_port: port of the side that was called
-- column: protocol: IANA number
-- column: connections: connections of the pair
-- column: longest_secs: seconds of the longest
-- column: total_secs: seconds of all together
-- column: sent_payload_bytes: bytes beyond headers sent
-- column: first: when the first began
-- column: last: when the last ended
-- What a gateway passes on is counted at the hosts behind it.
WITH gateways AS (
    SELECT DISTINCT interface_id FROM flows WHERE via = 'received'
),
numbered AS (
    SELECT
        interface_id,
        workload,
        local_port,
        remote_addr,
        remote_port,
        protocol,
        CASE WHEN direction = 'egress' THEN payload_bytes ELSE 0 END AS sent,
        start,
        "end",
        sessionize(start, "end", $gap) OVER (
            PARTITION BY interface_id, local_addr, local_port, remote_addr, remote_port, protocol
            ORDER BY start
        ) AS session
    FROM flows
    WHERE counted
        AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.interface_id = flows.interface_id)
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
),
sessions AS (
    SELECT
        interface_id,
        workload,
        remote_addr,
        CASE WHEN local_port < remote_port THEN local_port ELSE remote_port END AS port,
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
    port AS remote_port,
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
