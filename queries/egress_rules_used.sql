-- name: egress_rules_used
-- question: Which egress rules of security groups were used, by what and for how much, and which were not? (needs an inventory in --context)
-- param: days bigint 1..36500 = 30: days that are looked at
-- param: until timestamp = null: the end of them; without it, that of the records
-- param: group text = null: only rules of this security group
-- param: top bigint 1.. = 500: rows at most
-- column: group_id: the security group
-- column: group_name: its name
-- column: protocol: IANA number; null for all
-- column: from_port: first port; null for all, and for protocols without
-- column: to_port: last port, likewise
-- column: peer: the other side: a network, a prefix list or a security group; `not understood` for what could not be read of the group's rules
-- column: attached: interfaces that have the group, by the inventory
-- column: used: whether anything was let out that the rule allows; null for an other side whose networks are not known
-- column: workload: what used it, a row each; null where nothing did
-- column: interfaces: interfaces of it that did
-- column: addresses: different addresses that they called
-- column: flows: flow records
-- column: bytes: bytes, headers included
-- column: bytes_alone: bytes of them that no other rule of the interface's groups lets out; null where one whose networks are not known may
-- column: first: start of the first
-- column: last: end of the last
-- A rule is credited with what its interface began to send while the rule was in one of the interface's groups: from the first
-- observation of the inventory that has both until the next that has not, by the `start` of each record. What was observed first
-- of all is taken to have been so ever before. So what left between a change and the observation that first shows it is told by
-- the rules before the change; and a connection that goes on after its rule is gone is told by it only as far as its records began before.
-- Other sides that are names have the networks of the prefix list as it was described last, and of all that ever had the group.
WITH span AS (
    SELECT coalesce($until, max(bucket) + INTERVAL '10 minutes') AS until FROM profiles
),
-- When the rules of an interface changed; null stands for ever before.
changes AS (
    SELECT interface_id, since AS at FROM interface_groups
    UNION
    SELECT interface_id, until FROM interface_groups
    UNION
    SELECT interface_id, NULL FROM interface_groups
    UNION
    SELECT member.interface_id, rule.since
    FROM interface_groups AS member
    JOIN egress_rules AS rule ON rule.group_id = member.group_id
    UNION
    SELECT member.interface_id, rule.until
    FROM interface_groups AS member
    JOIN egress_rules AS rule ON rule.group_id = member.group_id
),
-- Spans in which they did not change.
epochs AS (
    SELECT
        interface_id,
        at AS since,
        lead(at) OVER (PARTITION BY interface_id ORDER BY at NULLS FIRST) AS until
    FROM changes
),
called AS (
    SELECT
        flows_once.interface_id,
        epochs.since,
        epochs.until,
        workload,
        protocol,
        CASE WHEN protocol IN (6, 17) THEN remote_port END AS port,
        remote_addr,
        count(*) AS flows,
        sum(bytes) AS bytes,
        min(start) AS first,
        max("end") AS last
    FROM flows_once
    JOIN epochs
        ON epochs.interface_id = flows_once.interface_id
        AND (epochs.since IS NULL OR start >= epochs.since)
        AND (epochs.until IS NULL OR start < epochs.until)
    CROSS JOIN span
    WHERE direction = 'egress'
        AND action = 'ACCEPT'
        AND via = 'own'
        AND coalesce(initiator, '') <> 'remote'
        AND start >= span.until - CAST(concat($days, ' days') AS INTERVAL)
        AND start < span.until
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),
let_out AS (
    SELECT DISTINCT
        rule.group_id,
        rule.protocol AS rule_protocol,
        rule.from_port,
        rule.to_port,
        rule.peer,
        rule.networks IS NULL AS guessed,
        called.*
    FROM called
    JOIN interface_groups AS member
        ON member.interface_id = called.interface_id
        AND (member.since IS NULL OR called.since >= member.since)
        AND (member.until IS NULL OR called.until <= member.until)
    JOIN egress_rules AS rule
        ON rule.group_id = member.group_id
        AND (rule.since IS NULL OR called.since >= rule.since)
        AND (rule.until IS NULL OR called.until <= rule.until)
        AND (rule.protocol IS NULL OR rule.protocol = called.protocol)
        AND (rule.from_port IS NULL OR called.port BETWEEN rule.from_port AND rule.to_port)
        AND (rule.networks IS NULL OR cidr_contains(rule.networks, called.remote_addr))
),
told AS (
    SELECT
        let_out.*,
        sum(CASE WHEN guessed THEN 0 ELSE 1 END) OVER (PARTITION BY interface_id, since, workload, protocol, port, remote_addr) AS rules,
        bool_or(guessed) OVER (PARTITION BY interface_id, since, workload, protocol, port, remote_addr) AS may_more
    FROM let_out
),
rules AS (
    SELECT
        group_id,
        max(group_name) AS group_name,
        protocol,
        from_port,
        to_port,
        peer,
        bool_or(networks IS NOT NULL) AS known
    FROM egress_rules
    WHERE $group IS NULL OR group_id = $group
    GROUP BY group_id, protocol, from_port, to_port, peer
),
attached AS (
    SELECT group_id, count(DISTINCT interface_id) AS interfaces FROM interface_groups GROUP BY group_id
)
SELECT
    rules.group_id,
    max(rules.group_name) AS group_name,
    rules.protocol,
    rules.from_port,
    rules.to_port,
    rules.peer,
    coalesce(max(attached.interfaces), 0) AS attached,
    CASE WHEN bool_or(rules.known) THEN count(told.interface_id) > 0 END AS used,
    told.workload,
    count(DISTINCT told.interface_id) AS interfaces,
    count(DISTINCT told.remote_addr) AS addresses,
    coalesce(sum(told.flows), 0) AS flows,
    coalesce(sum(told.bytes), 0) AS bytes,
    CASE WHEN NOT coalesce(bool_or(told.rules = 1 AND told.may_more), false)
        THEN coalesce(sum(told.bytes) FILTER (WHERE told.rules = 1), 0) END AS bytes_alone,
    min(told.first) AS first,
    max(told.last) AS last
FROM rules
LEFT JOIN told
    ON told.group_id = rules.group_id
    AND NOT told.guessed
    AND coalesce(told.rule_protocol, -1) = coalesce(rules.protocol, -1)
    AND coalesce(told.from_port, -1) = coalesce(rules.from_port, -1)
    AND coalesce(told.to_port, -1) = coalesce(rules.to_port, -1)
    AND told.peer = rules.peer
LEFT JOIN attached ON attached.group_id = rules.group_id
GROUP BY rules.group_id, rules.protocol, rules.from_port, rules.to_port, rules.peer, told.workload
ORDER BY bytes DESC, rules.group_id, rules.protocol, rules.from_port, rules.peer, told.workload
LIMIT $top
