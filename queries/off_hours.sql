-- name: off_hours
-- question: What did hosts send by themselves in the night and at weekends, compared with office hours?
-- param: since timestamp = null: what started then or later, by whole ten minutes
-- param: until timestamp = null: what started before then, by whole ten minutes
-- param: opens bigint 0..24 = 8: hour of the day (UTC) at which office hours begin
-- param: closes bigint 0..24 = 18: hour at which they end; of the next day, if it is earlier than `opens`
-- param: top bigint 1.. = 50: rows at most
-- column: interface_id: the interface
-- column: sender: the interface, or the address of a host behind it that has no log of its own
-- column: workload: what it belongs to
-- column: office_payload_bytes: bytes beyond headers sent from Monday to Friday in office hours
-- column: off_hours_payload_bytes: bytes beyond headers sent at all other times
-- column: off_hours_share: share of the latter, 0 to 1
-- column: off_hours_only_destinations: destinations met in off hours alone
WITH by_destination AS (
    SELECT
        interface_id,
        sender,
        workload,
        destination,
        coalesce(sum(payload_bytes) FILTER (WHERE office), 0) AS office,
        coalesce(sum(payload_bytes) FILTER (WHERE NOT office), 0) AS off_hours,
        bool_or(office) AS met_in_office
    FROM (
        SELECT
            interface_id,
            sender,
            workload,
            destination,
            payload_bytes,
            CASE
                WHEN $opens <= $closes
                    THEN
                        date_part('dow', bucket) BETWEEN 1 AND 5
                        AND date_part('hour', bucket) >= $opens
                        AND date_part('hour', bucket) < $closes
                -- What begins on a Friday evening ends on a Saturday.
                ELSE
                    (date_part('dow', bucket) BETWEEN 1 AND 5 AND date_part('hour', bucket) >= $opens)
                    OR (date_part('dow', bucket) BETWEEN 2 AND 6 AND date_part('hour', bucket) < $closes)
            END AS office
        FROM profiles_once
        WHERE counted
            AND direction = 'egress'
            AND coalesce(initiator, '') <> 'remote'
            AND ($since IS NULL OR bucket > $since - INTERVAL '10 minutes')
            AND ($until IS NULL OR bucket < $until)
    ) AS told
    GROUP BY interface_id, sender, workload, destination
)
SELECT
    interface_id,
    sender,
    workload,
    sum(office) AS office_payload_bytes,
    sum(off_hours) AS off_hours_payload_bytes,
    round(sum(off_hours) / CAST(sum(office) + sum(off_hours) AS DOUBLE), 3) AS off_hours_share,
    count(*) FILTER (WHERE NOT met_in_office) AS off_hours_only_destinations
FROM by_destination
GROUP BY interface_id, sender, workload
HAVING sum(off_hours) > 0
ORDER BY off_hours_payload_bytes DESC, interface_id, sender
LIMIT $top
