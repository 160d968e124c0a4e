-- name: senders_by_protocol
-- question: Which addresses send by a protocol, UDP if none is said, or are refused most? (sample queries of CloudWatch Logs Insights)
-- param: protocol bigint 0..255 = 17: IANA number
-- param: action text ACCEPT|REJECT = null: only records with this verdict, `ACCEPT` or `REJECT`
-- param: since timestamp = null: what started then or later
-- param: until timestamp = null: what started before then
-- param: top bigint 1.. = 20: rows at most
-- column: srcaddr: address that sent
-- column: flows: flow records
-- column: rejected: of them, those refused
-- column: packets: packets
-- column: bytes: bytes, headers included
SELECT
    srcaddr,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    sum(packets) AS packets,
    sum(bytes) AS bytes
FROM flows_logged
WHERE protocol = $protocol
    AND ($action IS NULL OR action = $action)
    AND ($since IS NULL OR start >= $since)
    AND ($until IS NULL OR start < $until)
GROUP BY srcaddr
ORDER BY flows DESC, srcaddr
LIMIT $top
