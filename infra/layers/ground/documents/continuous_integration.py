"""Rights of the role of continuous integration: it deploys the ground of its one stack and nothing else.

A table of services: what the role looks at, what it changes, and where. Objects with a name are narrowed by the stack's
prefix, those without one by the stack's tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.ground.documents.document import Statement, allow, deny
from infra.layers.ground.documents.trust import GITHUB_ISSUER

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment


def _verbs(service: str, *names: str) -> list[str]:
    return [f"{service}:{name}" for text in names for name in text.split()]


# What AWS narrows to no resource: describing in EC2, lists, and making what has no name before. The source for all
# statements is its Service Authorization Reference.
LOOK = [
    *_verbs(
        "ec2",
        "DescribeAddresses DescribeAddressesAttribute DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls",
        "DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables DescribeSecurityGroupRules",
        "DescribeSecurityGroups DescribeSubnets DescribeVpcAttribute DescribeVpcEndpointServiceConfigurations",
        "DescribeVpcEndpointServicePermissions DescribeVpcEndpoints DescribeVpcs",
    ),
    *_verbs("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies ListTagsForResource"),
    *_verbs(
        "elasticloadbalancing",
        "DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes DescribeLoadBalancers",
        "DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth",
    ),
    "iam:ListOpenIDConnectProviders",
    *_verbs("kafka", "DescribeClusterOperation GetBootstrapBrokers ListConfigurations"),
    *_verbs("kms", "CreateKey ListAliases"),
    "logs:DescribeLogGroups",
    "sns:GetSubscriptionAttributes",
    "sts:GetCallerIdentity",
]
NETWORK_MAKE = _verbs(
    "ec2",
    "AllocateAddress AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress CreateInternetGateway CreateNatGateway CreateRoute CreateRouteTable",
    "CreateSecurityGroup CreateSubnet CreateTags CreateVpc CreateVpcEndpoint CreateVpcEndpointServiceConfiguration",
)
NETWORK_CHANGE = _verbs(
    "ec2",
    "DeleteInternetGateway DeleteNatGateway DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags",
    "DeleteVpc DeleteVpcEndpointServiceConfigurations DeleteVpcEndpoints DetachInternetGateway DisassociateAddress",
    "DisassociateRouteTable ModifySecurityGroupRules ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint",
    "ModifyVpcEndpointServiceConfiguration ModifyVpcEndpointServicePermissions ReleaseAddress",
    "RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
)
BUCKETS = _verbs(
    "s3",
    "CreateBucket DeleteBucket DeleteBucketPolicy GetAccelerateConfiguration GetBucketAcl GetBucketCORS",
    "GetBucketLocation GetBucketLogging GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy",
    "GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite",
    "GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration ListBucket",
    "PutBucketLogging PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging",
    "PutBucketVersioning",
    "PutEncryptionConfiguration PutLifecycleConfiguration",
)
KEYS = _verbs(
    "kms",
    "CreateAlias CreateGrant DeleteAlias DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus",
    "ListResourceTags PutKeyPolicy RetireGrant ScheduleKeyDeletion UntagResource UpdateAlias UpdateKeyDescription",
)
ROLES = _verbs(
    "iam",
    "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole",
    "ListRolePolicies PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
)
GITHUB = _verbs(
    "iam",
    "CreateOpenIDConnectProvider DeleteOpenIDConnectProvider GetOpenIDConnectProvider TagOpenIDConnectProvider",
    "UntagOpenIDConnectProvider",
)
KAFKA = _verbs(
    "kafka",
    "CreateCluster CreateClusterV2 CreateConfiguration CreateTopic DeleteCluster DeleteConfiguration DeleteTopic",
    "DescribeCluster DescribeClusterV2 DescribeConfiguration DescribeConfigurationRevision DescribeTopic",
    "ListNodes ListTagsForResource TagResource UntagResource UpdateBrokerStorage UpdateBrokerType",
    "UpdateClusterConfiguration UpdateClusterKafkaVersion UpdateConfiguration UpdateMonitoring UpdateSecurity",
    "UpdateTopic",
)
# MSK makes topics in the name of who asks for them.
TOPICS = _verbs(
    "kafka-cluster",
    "AlterTopic AlterTopicDynamicConfiguration Connect CreateTopic DeleteTopic DescribeTopic",
    "DescribeTopicDynamicConfiguration",
)
BALANCERS = _verbs(
    "elasticloadbalancing",
    "AddTags CreateListener CreateLoadBalancer CreateTargetGroup DeleteListener DeleteLoadBalancer DeleteTargetGroup",
    "DeregisterTargets ModifyListener ModifyLoadBalancerAttributes ModifyTargetGroup ModifyTargetGroupAttributes",
    "RegisterTargets RemoveTags SetSecurityGroups SetSubnets",
)
BALANCER_KINDS = ("listener/net/", "loadbalancer/net/", "targetgroup/")
SCALING = _verbs(
    "application-autoscaling",
    "DeleteScalingPolicy DeregisterScalableTarget PutScalingPolicy RegisterScalableTarget TagResource UntagResource",
)
LOGS = _verbs(
    "logs",
    "AssociateKmsKey CreateLogGroup DeleteLogGroup DisassociateKmsKey ListTagsForResource PutRetentionPolicy",
    "TagResource UntagResource",
)
# MSK hands brokers' logs on by way of these, in the name of whoever makes the cluster: AWS' `AmazonMSKFullAccess`.
LOG_DELIVERY = _verbs(
    "logs",
    "CreateLogDelivery DeleteLogDelivery DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy",
    "UpdateLogDelivery",
)
ALARMS = _verbs(
    "cloudwatch", "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource"
)
MESSAGES = _verbs(
    "sns",
    "CreateTopic DeleteTopic GetTopicAttributes ListTagsForResource SetTopicAttributes Subscribe TagResource",
    "UntagResource",
)
BUDGETS = _verbs("budgets", "ListTagsForResource ModifyBudget TagResource UntagResource ViewBudget")
# Application Auto Scaling makes alarms of its own in the name of whoever makes a policy.
SCALING_ALARMS = _verbs("cloudwatch", "DeleteAlarms DescribeAlarms PutMetricAlarm")
SERVICE_ROLES = ("delivery.logs", "elasticloadbalancing", "kafka", "kafka.application-autoscaling")
OWN_ROLE = _verbs("iam", "DeleteRole DeleteRolePolicy PutRolePolicy UpdateAssumeRolePolicy")


def continuous_integration(environment: Environment, role: str) -> list[Statement]:
    """What the role may do.

    It may not change its own role: a person does. Other roles of the stack it has to make, so who deploys by it could
    give one of them more rights; reviews and GitHub's protection of the environment stand before that.

    Args:
        environment: Where the stack is.
        role: Name of the role.
    """
    prefix, arn = environment.prefix, environment.arn
    ours = {"StringEquals": {"aws:ResourceTag/stack": environment.stack}}
    asked = {"StringEquals": {"aws:RequestTag/stack": environment.stack}}

    def named(service: str, *kinds: str) -> list[str]:
        return [arn(service, f"{kind}{prefix}-*") for kind in kinds]

    return [
        allow("Look", LOOK, ["*"]),
        allow("NetworkMake", NETWORK_MAKE, [arn("ec2", "*")]),
        allow("EndpointNames", ["route53:AssociateVPCWithHostedZone"], ["arn:aws:route53:::hostedzone/*"]),
        allow("NetworkChange", NETWORK_CHANGE, [arn("ec2", "*")], condition=ours),
        allow("Buckets", BUCKETS, [f"arn:aws:s3:::{prefix}-*"]),
        allow("Keys", KEYS, [arn("kms", "key/*")], condition=ours),
        allow("KeyTags", ["kms:TagResource"], [arn("kms", "key/*")], condition=asked),
        allow("Aliases", _verbs("kms", "CreateAlias DeleteAlias UpdateAlias"), named("kms", "alias/")),
        allow("Roles", ROLES, [environment.role_arn(f"{prefix}-*")]),
        deny("NotItself", OWN_ROLE, [environment.role_arn(role)]),
        allow("Github", GITHUB, [f"arn:aws:iam::{environment.account_id}:oidc-provider/{GITHUB_ISSUER}"]),
        allow("Kafka", KAFKA, named("kafka", "cluster/", "configuration/", "topic/")),
        allow("Topics", TOPICS, named("kafka", "cluster/", "topic/")),
        allow("Balancers", BALANCERS, named("elasticloadbalancing", *BALANCER_KINDS)),
        allow("Scaling", SCALING, [arn("application-autoscaling", "scalable-target/*")]),
        allow("ScalingAlarms", SCALING_ALARMS, [arn("cloudwatch", "alarm:TargetTracking-*")]),
        allow("LogDelivery", LOG_DELIVERY, ["*"]),
        allow("Logs", LOGS, named("logs", "log-group:")),
        allow("Alarms", ALARMS, named("cloudwatch", "alarm:")),
        allow("Messages", MESSAGES, named("sns", "")),
        allow("MessagesEnd", ["sns:Unsubscribe"], ["*"]),
        allow("Budgets", BUDGETS, [f"arn:aws:budgets::{environment.account_id}:budget/{prefix}-*"]),
        allow(
            "ServiceRoles",
            ("iam:CreateServiceLinkedRole",),
            [f"arn:aws:iam::{environment.account_id}:role/aws-service-role/*"],
            condition={"StringEquals": {"iam:AWSServiceName": [f"{name}.amazonaws.com" for name in SERVICE_ROLES]}},
        ),
    ]
