"""Application Auto Scaling: what grows by itself (the storage of brokers)."""

from __future__ import annotations

from typing import Any, NamedTuple

from local.aws.provider.fields import fields
from local.aws.provider.resource import Resource, only
from local.aws.provider.values import Properties

TRACKING = "targetTrackingScalingPolicyConfiguration"


class Scaled(NamedTuple):
    """What scales: the parts that stand in an id, in the order of Pulumi's imports."""

    namespace: str
    resource: str
    dimension: str

    @classmethod
    def of(cls, id_: str) -> Scaled:
        """Reads `namespace/resource/dimension`; a resource's own id may hold slashes."""
        namespace, _, rest = id_.partition("/")
        resource, _, dimension = rest.rpartition("/")
        return cls(namespace, resource, dimension)


def _id(inputs: Properties) -> str:
    return "/".join(Scaled(inputs["serviceNamespace"], inputs["resourceId"], inputs["scalableDimension"]))


def _read_target(client: Any, id_: str) -> Properties:
    scaled = Scaled.of(id_)
    found = client.describe_scalable_targets(ServiceNamespace=scaled.namespace, ResourceIds=[scaled.resource])
    matching = [each for each in found["ScalableTargets"] if each["ScalableDimension"] == scaled.dimension]
    return only(matching)


def _delete_target(client: Any, id_: str, _: Properties) -> None:
    scaled = Scaled.of(id_)
    client.deregister_scalable_target(
        ServiceNamespace=scaled.namespace, ResourceId=scaled.resource, ScalableDimension=scaled.dimension
    )


def _read_policy(client: Any, id_: str) -> Properties:
    of, name = id_.rsplit("/", 1)
    scaled = Scaled.of(of)
    found = client.describe_scaling_policies(
        ServiceNamespace=scaled.namespace, ResourceId=scaled.resource, PolicyNames=[name]
    )
    return only(found["ScalingPolicies"])


def _delete_policy(client: Any, id_: str, _: Properties) -> None:
    of, name = id_.rsplit("/", 1)
    scaled = Scaled.of(of)
    client.delete_scaling_policy(
        PolicyName=name,
        ServiceNamespace=scaled.namespace,
        ResourceId=scaled.resource,
        ScalableDimension=scaled.dimension,
    )


TYPES = (
    Resource(
        kind="aws:appautoscaling/target:Target",
        service="application-autoscaling",
        create="register_scalable_target",
        id=lambda _, inputs: _id(inputs),
        read=_read_target,
        delete=_delete_target,
        make=fields("serviceNamespace resourceId scalableDimension minCapacity maxCapacity roleArn=RoleARN"),
        local="tags",
        upsert=True,
        fixed="serviceNamespace resourceId scalableDimension",
        refused="suspendedState",
    ),
    Resource(
        kind="aws:appautoscaling/policy:Policy",
        service="application-autoscaling",
        create="put_scaling_policy",
        id=lambda _, inputs: f"{_id(inputs)}/{inputs['name']}",
        read=_read_policy,
        delete=_delete_policy,
        make=fields(
            "name=PolicyName serviceNamespace resourceId scalableDimension policyType "
            f"{TRACKING}.targetValue {TRACKING}.disableScaleIn {TRACKING}.scaleInCooldown "
            f"{TRACKING}.scaleOutCooldown {TRACKING}.predefinedMetricSpecification.predefinedMetricType"
        ),
        show=fields("arn=PolicyARN"),
        upsert=True,
        fixed="name serviceNamespace resourceId scalableDimension",
        name="name",
        refused="predictiveScalingPolicyConfiguration stepScalingPolicyConfiguration",
    ),
)
