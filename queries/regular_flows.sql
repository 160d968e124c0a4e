-- name: regular_flows
-- question: Which pairs exchange small flows of like size at regular gaps: a keep-alive, or a beacon?
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: flows bigint 1.. = 20: flows at least
-- param: spread double 0.. = 0.2: standard deviation of the gaps by their mean, at most
-- param: bytes bigint 0.. = 100000: mean bytes of a record, at most
-- param: size_spread double 0.. = 0.5: standard deviation of the bytes by their mean, at most
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: remote_addr: address outside
-- column: remote_port: its port
-- column: flows: flow records
-- column: gap_secs: mean seconds between starts
-- column: gap_spread: standard deviation of the gaps by their mean
-- column: bytes_each: mean bytes of a record, headers included
-- column: bytes_spread: standard deviation of the bytes by their mean
-- column: first: start of the first
-- column: last: start of the last
WITH repeated AS (
    SELECT interface_id, remote_addr
    FROM flows_once
    WHERE counted
        AND direction = 'egress'
        AND coalesce(initiator, '') <> 'remote'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
    GROUP BY interface_id, remote_addr
    HAVING count(*) >= $flows
),
sent AS (
    SELECT
        flows_once.interface_id,
        sender,
        workload,
        flows_once.remote_addr,
        remote_port,
        bytes,
        start,
        date_part('epoch', start - lag(start) OVER (
            PARTITION BY flows_once.interface_id, sender, flows_once.remote_addr, remote_port ORDER BY start
        )) AS gap
    -- The few pairs come first: they are what the join is built of.
    FROM repeated
    JOIN flows_once
        ON repeated.interface_id = flows_once.interface_id
        AND repeated.remote_addr = flows_once.remote_addr
    WHERE counted
        AND direction = 'egress'
        AND coalesce(initiator, '') <> 'remote'
        AND ($since IS NULL OR start >= $since)
        AND ($until IS NULL OR start < $until)
)
SELECT
    interface_id,
    sender,
    workload,
    remote_addr,
    remote_port,
    count(*) AS flows,
    round(avg(gap), 1) AS gap_secs,
    round(stddev(gap) / avg(gap), 3) AS gap_spread,
    round(avg(bytes)) AS bytes_each,
    round(stddev(bytes) / avg(bytes), 3) AS bytes_spread,
    min(start) AS first,
    max(start) AS last
FROM sent
GROUP BY interface_id, sender, workload, remote_addr, remote_port
HAVING count(*) >= $flows
    AND avg(gap) > 0
    AND stddev(gap) / avg(gap) <= $spread
    AND avg(bytes) <= $bytes
    AND stddev(bytes) / avg(bytes) <= $size_spread
ORDER BY gap_spread, flows DESC, interface_id, sender, remote_addr, remote_port
LIMIT $top
