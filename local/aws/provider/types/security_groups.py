"""Security groups and their rules, which are resources of their own."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local.aws.provider import tags
from local.aws.provider.fields import fields, to_boto
from local.aws.provider.resource import Resource, gone, only
from local.aws.provider.values import Properties

RULE = "ipProtocol fromPort toPort cidrIpv4 cidrIpv6 prefixListId description"


def _make_group(client: Any, parameters: Properties) -> Properties:
    """Makes a group that lets nothing out: the rule that AWS adds is taken away, as the published provider does."""
    answer: Properties = client.create_security_group(**parameters)
    group = only(client.describe_security_groups(GroupIds=[answer["GroupId"]])["SecurityGroups"])
    if group.get("IpPermissionsEgress"):
        try:
            client.revoke_security_group_egress(GroupId=answer["GroupId"], IpPermissions=group["IpPermissionsEgress"])
        except ClientError as error:
            if not gone(error):  # where an earlier try has taken it away, whose answer was lost
                raise
    return answer


def _permission(parameters: Properties) -> Properties:
    """One rule as the calls that make rules take it."""
    names = ("IpProtocol", "FromPort", "ToPort")
    about = {"Description": parameters["Description"]} if parameters.get("Description") else {}
    permission = {name: parameters[name] for name in names if name in parameters}
    if parameters["IpProtocol"] == "-1":
        permission = {"IpProtocol": "-1"}
    for name, block, key in (
        ("CidrIpv4", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ("ReferencedGroupId", "UserIdGroupPairs", "GroupId"),
    ):
        if name in parameters:
            permission[block] = [{key: parameters[name], **about}]
    return permission


def _make_rule(way: str) -> Any:
    def make(client: Any, parameters: Properties) -> Properties:
        call = getattr(client, f"authorize_security_group_{way}")
        tags = {name: parameters[name] for name in ("TagSpecifications",) if name in parameters}
        answer = call(GroupId=parameters["GroupId"], IpPermissions=[_permission(parameters)], **tags)
        return only(answer["SecurityGroupRules"])

    return make


def _read_rule(client: Any, id_: str) -> Properties:
    live = only(client.describe_security_group_rules(SecurityGroupRuleIds=[id_])["SecurityGroupRules"])
    if live["IpProtocol"] == "-1":  # without ports, which AWS tells as -1
        live = {name: value for name, value in live.items() if name not in ("FromPort", "ToPort")}
    return {**live, "ReferencedGroupId": (live.get("ReferencedGroupInfo") or {}).get("GroupId")}


def _set_rule(client: Any, id_: str, inputs: Properties) -> None:
    names = fields(f"{RULE} referencedSecurityGroupId=ReferencedGroupId")
    rule = {"SecurityGroupRuleId": id_, "SecurityGroupRule": to_boto(names, inputs)}
    client.modify_security_group_rules(GroupId=inputs["securityGroupId"], SecurityGroupRules=[rule])


def _rule(way: str, token: str) -> Resource:
    """A rule for what comes in (`ingress`) or goes out (`egress`)."""

    def delete(client: Any, id_: str, state: Properties) -> None:
        call = getattr(client, f"revoke_security_group_{way}")
        call(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[id_])

    return Resource(
        kind=token,
        service="ec2",
        create=_make_rule(way),
        id="SecurityGroupRuleId",
        read=_read_rule,
        delete=delete,
        make=fields(f"securityGroupId=GroupId referencedSecurityGroupId=ReferencedGroupId {RULE}"),
        show=fields("securityGroupRuleId arn=SecurityGroupRuleArn"),
        computed=lambda live, id_, region: {
            "arn": f"arn:aws:ec2:{region}:{live.get('GroupOwnerId', '')}:security-group-rule/{id_}"
        },
        put={f"{RULE} referencedSecurityGroupId": _set_rule},
        tags=tags.EC2,
    )


TYPES = (
    Resource(
        kind="aws:ec2/securityGroup:SecurityGroup",
        service="ec2",
        create=_make_group,
        id="GroupId",
        read=lambda client, id_: only(client.describe_security_groups(GroupIds=[id_])["SecurityGroups"]),
        delete=lambda client, id_, _: client.delete_security_group(GroupId=id_),
        make=fields("name=GroupName description vpcId"),
        local="revokeRulesOnDelete",
        show=fields("ownerId"),
        computed=lambda live, id_, region: {
            "arn": f"arn:aws:ec2:{region}:{live.get('OwnerId', '')}:security-group/{id_}"
        },
        name="name",
        defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
        tags=tags.EC2,
        refused="egress ingress namePrefix",
    ),
    _rule("ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
    _rule("egress", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"),
)
