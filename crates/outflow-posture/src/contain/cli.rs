//! A containment as scripts that call the AWS CLI: one that contains, and one that undoes it.
//!
//! The first keeps in a folder `state` beside it what was there before and what it makes, each before or with the change;
//! the second puts back only what it finds as the first left it.

use std::fmt::{self, Write};

use super::{Containment, Deny, VpcContainment};

/// The priority at which DNS Firewall asks the rule group, unless the environment says another: 101 is the first that is free
/// to be taken.
pub(super) const DNS_PRIORITY: u32 = 101;

impl Containment {
    /// The script that contains it in one VPC.
    pub fn contain_script(&self, vpc: &VpcContainment) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.contain(&mut out, vpc);
        out
    }

    /// The script that undoes it in one VPC, from what the first script kept.
    pub fn undo_script(&self, vpc: &VpcContainment) -> String {
        let mut out = String::new();
        let _ = self.undo(&mut out, vpc);
        out
    }

    fn contain(&self, out: &mut String, vpc: &VpcContainment) -> fmt::Result {
        self.head(out, vpc, "Contains")?;
        for note in &self.notes {
            writeln!(out, "# Note: {note}.")?;
        }
        writeln!(out, "\nmkdir -p state")?;
        quarantine(out, &self.incident, vpc)?;
        if !vpc.denied.is_empty() {
            match self.deny {
                Deny::NetworkAcl => deny_by_acl(out, vpc)?,
                Deny::NetworkFirewall => deny_by_firewall(out, vpc)?,
            }
        }
        if !vpc.domains.is_empty() {
            block_domains(out, vpc)?;
        }
        writeln!(out, "\necho 'Contained. ./undo.sh puts it back.'")
    }

    fn undo(&self, out: &mut String, vpc: &VpcContainment) -> fmt::Result {
        self.head(out, vpc, "Undoes the containment of")?;
        // Hosts come first, so that nothing else that fails keeps them cut off.
        writeln!(
            out,
            r#"
left=0
# Takes away what may be away already.
away() {{
    local said
    said=$("$@" 2>&1 >/dev/null) && return 0
    case $said in
    *ResourceNotFoundException* | *InvalidGroup.NotFound* | *InvalidNetworkAclEntry.NotFound*) return 0 ;;
    esac
    echo "$said" >&2
    return 1
}}
if [ -s state/group ]; then
    group=$(cat state/group)
    for kept in state/*.groups; do
        [ -s "$kept" ] || continue
        interface=$(basename "$kept" .groups)
        now=$(aws ec2 describe-network-interfaces --filters "Name=network-interface-id,Values=$interface" \
            --query 'NetworkInterfaces[0].Groups[].GroupId' --output text)
        if [ "$now" = None ]; then
            echo "$interface: it is gone" >&2
        elif [ "$now" = "$group" ]; then
            read -ra before <"$kept"
            if ! aws ec2 modify-network-interface-attribute --network-interface-id "$interface" --groups "${{before[@]}}"; then
                echo "$interface: its groups could not be given back: ${{before[*]}}" >&2
                left=3
            fi
        elif [ "$now" != "$(cat "$kept")" ]; then
            echo "$interface: its groups were changed since, and are left as they are: $now" >&2
            left=3
        fi
    done
fi"#
        )?;
        if !vpc.domains.is_empty() {
            unblock_domains(out)?;
        }
        if !vpc.denied.is_empty() {
            match self.deny {
                Deny::NetworkAcl => undo_acl(out)?,
                Deny::NetworkFirewall => writeln!(
                    out,
                    "\nif [ -s state/rule-group ]; then\n    away aws network-firewall delete-rule-group --rule-group-name {} \
                     --type STATEFUL\n    rm state/rule-group\nfi",
                    sh(&vpc.name)
                )?,
            }
        }
        writeln!(
            out,
            r#"
[ "$left" = 0 ] || exit "$left"
if [ -s state/group ]; then
    away aws ec2 delete-security-group --group-id "$(cat state/group)"
fi
rm -rf state
echo 'Undone.'"#
        )
    }

    fn head(&self, out: &mut String, vpc: &VpcContainment, what: &str) -> fmt::Result {
        writeln!(
            out,
            "#!/usr/bin/env bash\n# {what} incident {} in {}: {}\n# Written by Outflow {}. Needs the AWS CLI, and rights to \
             what it calls.\nset -euo pipefail\ncd \"$(dirname \"${{BASH_SOURCE[0]}}\")\"\nexport AWS_DEFAULT_REGION={region} \
             AWS_REGION={region}\n\nif [ \"$(aws sts get-caller-identity --query Account --output text)\" != {account} ]; \
             then\n    echo {wrong} >&2\n    exit 2\nfi",
            self.incident,
            vpc.vpc_id,
            self.title,
            env!("CARGO_PKG_VERSION"),
            region = sh(&vpc.region),
            account = sh(&vpc.account_id),
            wrong = sh(&format!(
                "error: these are not the credentials of account {}",
                vpc.account_id
            )),
        )
    }
}

fn quarantine(out: &mut String, incident: &str, vpc: &VpcContainment) -> fmt::Result {
    let (name, vpc_id) = (sh(&vpc.name), sh(&vpc.vpc_id));
    writeln!(out, "\n# What the interfaces have now.")?;
    for own in &vpc.interfaces {
        let id = &own.interface_id;
        writeln!(
            out,
            "if [ ! -s state/{id}.groups ]; then\n    aws ec2 describe-network-interfaces --network-interface-ids {} \\\n        \
             --query 'NetworkInterfaces[0].Groups[].GroupId' --output text >state/{id}.part\n    mv state/{id}.part \
             state/{id}.groups\nfi",
            sh(id)
        )?;
    }
    writeln!(
        out,
        r#"
# A group without rules.
if [ ! -s state/group ]; then
    group=$(aws ec2 create-security-group --group-name {name} --vpc-id {vpc_id} \
        --description {description} --query GroupId --output text \
        --tag-specifications {tags})
    echo "$group" >state/group
fi
group=$(cat state/group)
egress=$(aws ec2 describe-security-groups --group-ids "$group" --query 'SecurityGroups[0].IpPermissionsEgress' --output json)
if [ "$egress" != '[]' ]; then
    aws ec2 revoke-security-group-egress --group-id "$group" --ip-permissions "$egress" >/dev/null
fi
egress=$(aws ec2 describe-security-groups --group-ids "$group" --query 'SecurityGroups[0].IpPermissionsEgress' --output json)
if [ "$egress" != '[]' ]; then
    echo "error: $group still has rules, and is used for nothing" >&2
    exit 3
fi"#,
        description = sh(&format!("Quarantine of incident {incident}")),
        tags = sh(&format!(
            "ResourceType=security-group,Tags=[{{Key=outflow-incident,Value={incident}}}]"
        )),
    )?;
    for own in &vpc.interfaces {
        let id = sh(&own.interface_id);
        writeln!(
            out,
            "aws ec2 modify-network-interface-attribute --network-interface-id {id} --groups \"$group\""
        )?;
    }
    Ok(())
}

fn deny_by_acl(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    let interfaces = vpc.interfaces.iter().map(|own| sh(&own.interface_id));
    let interfaces: Vec<String> = interfaces.collect();
    writeln!(
        out,
        r#"
# Rules before all others of the ACLs of these subnets. A rule that is there already is not replaced: then this ends.
deny() {{
    local kind=$1 field=$2 net=$3 number=$4 acl same
    for acl in $acls; do
        same=$(aws ec2 describe-network-acls --network-acl-ids "$acl" --output text --query \
            "length(NetworkAcls[0].Entries[?Egress && RuleNumber==\`$number\` && $field=='$net' && RuleAction=='deny'])")
        [ "$same" = 0 ] || continue
        aws ec2 create-network-acl-entry --network-acl-id "$acl" --egress --rule-number "$number" --protocol=-1 \
            --rule-action deny "--$kind" "$net"
        echo "$acl $number $field $net" >>state/acl-entries
    done
}}
subnets=$(aws ec2 describe-network-interfaces --network-interface-ids {} \
    --query 'NetworkInterfaces[].SubnetId' --output text)
acls=$(for subnet in $subnets; do
    aws ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$subnet" \
        --query 'NetworkAcls[0].NetworkAclId' --output text || exit
done | sort -u)"#,
        interfaces.join(" ")
    )?;
    for (number, net) in (1..).zip(&vpc.denied) {
        let (kind, field) = match net.addr().is_ipv4() {
            true => ("cidr-block", "CidrBlock"),
            false => ("ipv6-cidr-block", "Ipv6CidrBlock"),
        };
        writeln!(out, "deny {kind} {field} {} {number}", sh(&net.to_string()))?;
    }
    Ok(())
}

fn undo_acl(out: &mut String) -> fmt::Result {
    writeln!(
        out,
        r#"
if [ -e state/acl-entries ]; then
    while read -r acl number field net; do
        # Of an ACL that is gone, no entry is told.
        same=$(aws ec2 describe-network-acls --filters "Name=network-acl-id,Values=$acl" --output text --query \
            "length(NetworkAcls[].Entries[?Egress && RuleNumber==\`$number\` && $field=='$net' && RuleAction=='deny'][])")
        [ "$same" = 0 ] || away aws ec2 delete-network-acl-entry --network-acl-id "$acl" --egress --rule-number "$number"
    done <state/acl-entries
    rm state/acl-entries
fi"#
    )
}

fn deny_by_firewall(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    let rules: Vec<serde_json::Value> = (1..)
        .zip(&vpc.denied)
        .map(|(sid, net): (u32, _)| {
            serde_json::json!({
                "Action": "DROP",
                "Header": {"Protocol": "IP", "Source": "ANY", "SourcePort": "ANY", "Direction": "FORWARD",
                    "Destination": net.to_string(), "DestinationPort": "ANY"},
                "RuleOptions": [{"Keyword": "sid", "Settings": [sid.to_string()]}],
            })
        })
        .collect();
    let group = serde_json::json!({
        "RulesSource": {"StatefulRules": rules},
        "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"},
    });
    writeln!(
        out,
        "\nif [ ! -s state/rule-group ]; then\n    aws network-firewall create-rule-group --rule-group-name {} --type STATEFUL \
         --capacity {} \\\n        --rule-group {} \\\n        --query RuleGroupResponse.RuleGroupArn --output text >state/rule-group.part\n    \
         mv state/rule-group.part state/rule-group\nfi\necho \"Name this rule group in the policy of the firewall: $(cat state/rule-group)\"",
        sh(&vpc.name),
        super::ACL_RULES_MAX,
        sh(&group.to_string())
    )
}

fn block_domains(out: &mut String, vpc: &VpcContainment) -> fmt::Result {
    let patterns: Vec<String> = vpc.patterns().iter().map(|pattern| sh(pattern)).collect();
    writeln!(
        out,
        r#"
# A list of domains, a rule that blocks them, and the VPC that asks it. Within `$(…)` nothing but `|| return` ends it.
made() {{ # FILE QUERY ARGUMENT…
    local file=$1 query=$2
    shift 2
    if [ ! -s "state/$file" ]; then
        aws route53resolver "$@" --query "$query" --output text >"state/$file.part" || return
        mv "state/$file.part" "state/$file" || return
    fi
    cat "state/$file"
}}
name={name}
list=$(made dns-list FirewallDomainList.Id create-firewall-domain-list --creator-request-id "$name" --name "$name")
aws route53resolver update-firewall-domains --firewall-domain-list-id "$list" --operation REPLACE --domains \
    {patterns} >/dev/null
rules=$(made dns-rules FirewallRuleGroup.Id create-firewall-rule-group --creator-request-id "$name" --name "$name")
made dns-rule FirewallRule.Name create-firewall-rule --creator-request-id "$name" --name "$name" \
    --firewall-rule-group-id "$rules" --firewall-domain-list-id "$list" --priority 1 --action BLOCK --block-response NODATA \
    >/dev/null
made dns-association FirewallRuleGroupAssociation.Id associate-firewall-rule-group --creator-request-id "$name" --name "$name" \
    --firewall-rule-group-id "$rules" --vpc-id {vpc_id} --priority "${{OUTFLOW_DNS_PRIORITY:-{DNS_PRIORITY}}}" >/dev/null"#,
        name = sh(&vpc.name),
        patterns = patterns.join(" \\\n    "),
        vpc_id = sh(&vpc.vpc_id),
    )
}

fn unblock_domains(out: &mut String) -> fmt::Result {
    writeln!(
        out,
        r#"
if [ -s state/dns-association ]; then
    association=$(cat state/dns-association)
    away aws route53resolver disassociate-firewall-rule-group --firewall-rule-group-association-id "$association"
    # It takes AWS some seconds; only then may the group go.
    for _ in $(seq 60); do
        aws route53resolver get-firewall-rule-group-association --firewall-rule-group-association-id "$association" \
            >/dev/null 2>&1 || break
        sleep 2
    done
    rm state/dns-association
fi
if [ -s state/dns-rule ]; then
    away aws route53resolver delete-firewall-rule --firewall-rule-group-id "$(cat state/dns-rules)" \
        --firewall-domain-list-id "$(cat state/dns-list)"
    rm state/dns-rule
fi
if [ -s state/dns-rules ]; then
    away aws route53resolver delete-firewall-rule-group --firewall-rule-group-id "$(cat state/dns-rules)"
    rm state/dns-rules
fi
if [ -s state/dns-list ]; then
    away aws route53resolver delete-firewall-domain-list --firewall-domain-list-id "$(cat state/dns-list)"
    rm state/dns-list
fi"#
    )
}

/// A text as one word of a shell, in which nothing has a meaning.
pub(super) fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
