-- name: guardduty_and_incidents
-- question: Which findings of GuardDuty are about what our findings are about, and which about something that we did not find?
-- param: within_hours bigint 0..876000 = 24: hours that the times of both may lie apart
-- param: severity_min double 0..10 = 1: least severity of GuardDuty, 1 to 10
-- param: top bigint 1.. = 1000: rows at most
-- column: guardduty: the finding of GuardDuty
-- column: type: its type
-- column: severity: its severity, 1 to 10
-- column: account_id: its account
-- column: instance_id: the instance that it is about, if it is about one
-- column: first: when what it tells of was first seen, or when it was made
-- column: last: when that was last seen, or when it was changed
-- column: incident: our incident, or null where nothing that we found is about the same
-- column: finding: our finding in it
-- column: family: the kind of behaviour
-- column: matched_by: what both name: the interface, the instance, the address inside or outside, or the domain
-- column: finding_first: first packet of our finding
-- column: finding_last: last packet of our finding
WITH theirs AS (
    SELECT
        id,
        type,
        severity,
        account_id,
        instance_id,
        coalesce(first_seen, created_at) AS first,
        coalesce(last_seen, updated_at) AS last
    FROM guardduty
    WHERE severity >= $severity_min
), their_sides AS (
    SELECT id, account_id, 'interface' AS side, unnest(interface_ids) AS name FROM guardduty
    UNION ALL
    SELECT id, account_id, 'instance' AS side, instance_id AS name FROM guardduty
    UNION ALL
    SELECT id, account_id, 'inside address' AS side, unnest(private_addrs) AS name FROM guardduty
    UNION ALL
    SELECT id, account_id, 'outside address' AS side, unnest(remote_addrs) AS name FROM guardduty
    UNION ALL
    SELECT id, account_id, 'domain' AS side, registered_domain(domain) AS name FROM guardduty
), our_sides AS (
    SELECT id, account_id, 'interface' AS side, interface_id AS name FROM findings
    UNION ALL
    SELECT id, account_id, 'instance' AS side, instance_id AS name FROM findings
    UNION ALL
    -- Of a host that only a gateway tells of, the workload begins with its address.
    SELECT id, account_id, 'inside address' AS side, split_part(workload, ' ', 1) AS name FROM findings
    UNION ALL
    SELECT id, account_id, 'outside address' AS side, unnest(addresses) AS name FROM findings
    UNION ALL
    SELECT id, account_id, 'domain' AS side, registered_domain(coalesce(domain, destination)) AS name FROM findings
), met AS (
    SELECT theirs.id AS guardduty, ours.id AS finding, theirs.side
    FROM their_sides AS theirs
    JOIN our_sides AS ours ON theirs.side = ours.side AND theirs.name = ours.name
        -- Private addresses are the same ones in many accounts.
        AND (theirs.side <> 'inside address' OR theirs.account_id = ours.account_id)
    GROUP BY theirs.id, ours.id, theirs.side
), matched AS (
    SELECT
        theirs.id AS guardduty,
        findings.id AS finding,
        findings.incident,
        findings.family,
        findings.first_seen,
        findings.last_seen,
        string_agg(met.side, ', ' ORDER BY met.side) AS matched_by
    FROM met
    JOIN theirs ON theirs.id = met.guardduty
    JOIN findings ON findings.id = met.finding
    WHERE unix_seconds(theirs.first) <= unix_seconds(findings.last_seen) + $within_hours * 3600
        AND unix_seconds(theirs.last) >= unix_seconds(findings.first_seen) - $within_hours * 3600
    GROUP BY theirs.id, findings.id, findings.incident, findings.family, findings.first_seen, findings.last_seen
)
SELECT
    theirs.id AS guardduty,
    theirs.type,
    theirs.severity,
    theirs.account_id,
    theirs.instance_id,
    theirs.first,
    theirs.last,
    matched.incident,
    matched.finding,
    matched.family,
    matched.matched_by,
    matched.first_seen AS finding_first,
    matched.last_seen AS finding_last
FROM theirs
LEFT JOIN matched ON matched.guardduty = theirs.id
ORDER BY theirs.severity DESC, theirs.first, theirs.id, matched.finding
LIMIT $top
