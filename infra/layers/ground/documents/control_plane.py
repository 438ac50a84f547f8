"""Rights of the cross-account role: Databricks' control plane starts and stops nodes in the stack's network.

Actions are those that Databricks documents for a customer-managed VPC with restrictions ("Create an IAM role for
workspace deployment", policy type *restricted*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.ground.documents.document import Condition, Statement, allow

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment

# Databricks documents no narrower resource for these.
ANYWHERE = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CancelSpotInstanceRequests",
    "ec2:CreateFleet",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateTags",
    "ec2:DeleteFleets",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteLaunchTemplateVersions",
    "ec2:DeleteTags",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeFleetHistory",
    "ec2:DescribeFleetInstances",
    "ec2:DescribeFleets",
    "ec2:DescribeIamInstanceProfileAssociations",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribePrefixLists",
    "ec2:DescribeReservedInstancesOfferings",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
    "ec2:GetLaunchTemplateData",
    "ec2:GetSpotPlacementScores",
    "ec2:ModifyFleet",
    "ec2:ModifyLaunchTemplate",
    "ec2:RequestSpotInstances",
)
RUN = ("ec2:RunInstances",)
INSTANCES = (
    "ec2:AssociateIamInstanceProfile",
    "ec2:AttachVolume",
    "ec2:DetachVolume",
    "ec2:DisassociateIamInstanceProfile",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "ec2:TerminateInstances",
)
SPOT_ROLE = "arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"


def control_plane(
    environment: Environment, vpc_id: str, security_group_id: str, storage_key_arn: str
) -> list[Statement]:
    """What the control plane may do: nodes and volumes that carry its tag, in this network alone.

    Args:
        environment: Where the network is.
        vpc_id: Id of the network that nodes start in.
        security_group_id: Id of the nodes' security group.
        storage_key_arn: ARN of the key that encrypts the nodes' disks.
    """

    def ec2(*resources: str) -> list[str]:
        return [environment.arn("ec2", resource) for resource in resources]

    def tagged(key: str) -> Condition:
        return {"StringEquals": {f"{key}/Vendor": "Databricks"}}

    own = ("instance/*", "volume/*")
    placed = ("network-interface/*", "subnet/*", "security-group/*")
    in_network: Condition = {"StringEquals": {"ec2:vpc": environment.arn("ec2", f"vpc/{vpc_id}")}}
    return [
        allow("Anywhere", ANYWHERE, ["*"]),
        allow("RunTagged", RUN, ec2(*own), condition=tagged("aws:RequestTag")),
        allow("RunInNetwork", RUN, ec2(*placed), condition=in_network),
        # Images and their snapshots belong to Databricks' account; such ARNs name no account.
        allow("RunImages", RUN, [f"arn:aws:ec2:{environment.region}::{kind}/*" for kind in ("image", "snapshot")]),
        allow("RunTemplates", RUN, ec2("launch-template/*", "key-pair/*", "placement-group/*")),
        allow("Instances", INSTANCES, ec2(*own), condition=tagged("ec2:ResourceTag")),
        allow("CreateVolumes", ("ec2:CreateVolume",), ec2("volume/*"), condition=tagged("aws:RequestTag")),
        allow("DeleteVolumes", ("ec2:DeleteVolume",), ec2("volume/*"), condition=tagged("ec2:ResourceTag")),
        allow(
            "SecurityGroup",
            (
                "ec2:AuthorizeSecurityGroupEgress",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ),
            ec2(f"security-group/{security_group_id}"),
            condition=in_network,
        ),
        allow(
            "Disks",
            ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"),
            [storage_key_arn],
            condition={"StringLike": {"kms:ViaService": f"ec2.{environment.region}.amazonaws.com"}},
        ),
        allow(
            "SpotRole",
            ("iam:CreateServiceLinkedRole", "iam:PutRolePolicy"),
            [SPOT_ROLE],
            condition={"StringLike": {"iam:AWSServiceName": "spot.amazonaws.com"}},
        ),
    ]
