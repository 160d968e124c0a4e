"""DNS Firewall for moto, which has none: what is asked is held against AWS's own model of the API (botocore's), and what AWS
refuses is refused: names that are not there, priorities that are taken, and parts that are in use."""

import json

import botocore.session
import botocore.validate
from moto.core.exceptions import JsonRESTError
from moto.route53resolver.responses import Route53ResolverResponse

MODEL = botocore.session.get_session().get_service_model("route53resolver")
lists, groups, rules, associations = {}, {}, {}, {}


def refuse(code, message):
    raise JsonRESTError(code, message)


def asked(operation, body):
    """What is asked, if AWS's model has it so."""
    params = json.loads(body or "{}")
    shape = MODEL.operation_model(operation).input_shape
    unknown = set(params) - set(shape.members)
    report = botocore.validate.ParamValidator().validate(params, shape)
    if unknown or report.has_errors():
        refuse("ValidationException", f"{sorted(unknown)} {report.generate_report()}")
    for name, value in params.items():
        allowed = shape.members[name].metadata.get("enum", [])
        if allowed and value not in allowed:
            refuse("ValidationException", f"{name} is {value}")
    return params


def of(kind, key, what):
    return kind[key] if key in kind else refuse("ResourceNotFoundException", f"{what} {key} is not there")


def made(kind, before, params, **more):
    if any(own["CreatorRequestId"] == params["CreatorRequestId"] for own in kind.values()):
        refuse("ConflictException", "CreatorRequestId was used before")
    own = {"Id": f"{before}-{len(kind) + 1:016x}", "Status": "COMPLETE", **params, **more}
    kind[own["Id"]] = own
    return own


def create_list(params):
    return {"FirewallDomainList": made(lists, "rslvr-fdl", params, domains=[])}


def update_domains(params):
    own = of(lists, params["FirewallDomainListId"], "list")
    own["domains"] = {"REPLACE": [], "ADD": own["domains"]}[params["Operation"]] + params["Domains"]
    return {"Id": own["Id"], "Name": own["Name"], "Status": "COMPLETE"}


def list_domains(params):
    return {"Domains": of(lists, params["FirewallDomainListId"], "list")["domains"]}


def create_group(params):
    return {"FirewallRuleGroup": made(groups, "rslvr-frg", params)}


def create_rule(params):
    group, of_list = params["FirewallRuleGroupId"], params["FirewallDomainListId"]
    of(groups, group, "group"), of(lists, of_list, "list")
    if (group, of_list) in rules or any(own["Priority"] == params["Priority"] for (at, _), own in rules.items() if at == group):
        refuse("ConflictException", "the group has that rule or priority")
    if params["Action"] == "BLOCK" and "BlockResponse" not in params:
        refuse("ValidationException", "a rule that blocks needs a response")
    rules[group, of_list] = params
    return {"FirewallRule": params}


def list_rules(params):
    return {"FirewallRules": [own for (group, _), own in rules.items() if group == params["FirewallRuleGroupId"]]}


def associate(params):
    of(groups, params["FirewallRuleGroupId"], "group")
    if not 100 < params["Priority"] < 9900:
        refuse("ValidationException", "the priority is AWS's")
    if any((own["VpcId"], own["Priority"]) == (params["VpcId"], params["Priority"]) for own in associations.values()):
        refuse("ConflictException", "the priority is taken")
    return {"FirewallRuleGroupAssociation": made(associations, "rslvr-frgassoc", params)}


def list_associations(params):
    own = [own for own in associations.values() if own["VpcId"] == params.get("VpcId", own["VpcId"])]
    return {"FirewallRuleGroupAssociations": own}


def get_association(params):
    own = of(associations, params["FirewallRuleGroupAssociationId"], "association")
    if own["Status"] == "DELETING":
        # It takes AWS a while.
        del associations[own["Id"]]
    return {"FirewallRuleGroupAssociation": own}


def disassociate(params):
    own = of(associations, params["FirewallRuleGroupAssociationId"], "association")
    own["Status"] = "DELETING"
    return {"FirewallRuleGroupAssociation": own}


def delete_rule(params):
    key = params["FirewallRuleGroupId"], params["FirewallDomainListId"]
    of(rules, key, "rule")
    return {"FirewallRule": rules.pop(key)}


def delete_group(params):
    own = of(groups, params["FirewallRuleGroupId"], "group")
    if any(one["FirewallRuleGroupId"] == own["Id"] for one in associations.values()):
        refuse("ConflictException", "the group is associated")
    if any(group == own["Id"] for group, _ in rules):
        refuse("ConflictException", "the group has rules")
    return {"FirewallRuleGroup": groups.pop(own["Id"])}


def delete_list(params):
    own = of(lists, params["FirewallDomainListId"], "list")
    if any(used == own["Id"] for _, used in rules):
        refuse("ConflictException", "a rule uses the list")
    return {"FirewallDomainList": lists.pop(own["Id"])}


CALLS = {
    "create_firewall_domain_list": ("CreateFirewallDomainList", create_list),
    "update_firewall_domains": ("UpdateFirewallDomains", update_domains),
    "list_firewall_domains": ("ListFirewallDomains", list_domains),
    "create_firewall_rule_group": ("CreateFirewallRuleGroup", create_group),
    "create_firewall_rule": ("CreateFirewallRule", create_rule),
    "list_firewall_rules": ("ListFirewallRules", list_rules),
    "associate_firewall_rule_group": ("AssociateFirewallRuleGroup", associate),
    "list_firewall_rule_group_associations": ("ListFirewallRuleGroupAssociations", list_associations),
    "get_firewall_rule_group_association": ("GetFirewallRuleGroupAssociation", get_association),
    "disassociate_firewall_rule_group": ("DisassociateFirewallRuleGroup", disassociate),
    "delete_firewall_rule": ("DeleteFirewallRule", delete_rule),
    "delete_firewall_rule_group": ("DeleteFirewallRuleGroup", delete_group),
    "delete_firewall_domain_list": ("DeleteFirewallDomainList", delete_list),
}


def add():
    """Adds it to moto."""
    for name, (operation, answer) in CALLS.items():

        def answered(self, operation=operation, answer=answer):
            return json.dumps(answer(asked(operation, self.body)))

        setattr(Route53ResolverResponse, name, answered)
