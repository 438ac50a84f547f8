"""Network load balancers, and the endpoint services by which another network reaches what is behind them."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import GoneError, Resource, only
from local.aws.provider.values import Properties

CROSS_ZONE = "load_balancing.cross_zone.enabled"


def _read_balancer(client: Any, arn: str) -> Properties:
    live = only(client.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])
    found = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    attributes = {each["Key"]: each["Value"] for each in found}
    return {
        **live,
        "Name": live["LoadBalancerName"],
        "Internal": live["Scheme"] == "internal",
        "Subnets": [zone["SubnetId"] for zone in live["AvailabilityZones"]],
        "CrossZone": attributes.get(CROSS_ZONE) == "true",
        "DeletionProtection": attributes.get("deletion_protection.enabled") == "true",
    }


def _make_balancer(client: Any, parameters: Properties) -> Properties:
    scheme = "internal" if parameters.pop("Internal", False) else "internet-facing"
    return only(client.create_load_balancer(**parameters, Scheme=scheme)["LoadBalancers"])


def _set_attribute(key: str, name: str) -> Any:
    def setter(client: Any, arn: str, inputs: Properties) -> None:
        value = {"Key": key, "Value": str(bool(inputs.get(name))).lower()}
        client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[value])

    return setter


def _set_groups(client: Any, arn: str, inputs: Properties) -> None:
    client.set_security_groups(LoadBalancerArn=arn, SecurityGroups=inputs.get("securityGroups") or [])


def _make_target_group(client: Any, parameters: Properties) -> Properties:
    return only(client.create_target_group(**parameters)["TargetGroups"])


def _read_target_group(client: Any, arn: str) -> Properties:
    live = only(client.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"])
    return {**live, "Name": live["TargetGroupName"]}


def _check_health(client: Any, arn: str, inputs: Properties) -> None:
    protocol = (inputs.get("healthCheck") or {}).get("protocol") or inputs["protocol"]
    client.modify_target_group(TargetGroupArn=arn, HealthCheckProtocol=protocol)


def _target(id_: str) -> tuple[str, Properties]:
    """Group and target of an attachment's id."""
    group, _, rest = id_.partition(",")
    address, _, port = rest.partition(",")
    return group, {"Id": address, **({"Port": int(port)} if port else {})}


def _read_attachment(client: Any, id_: str) -> Properties:
    group, target = _target(id_)
    health = client.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    found = [each["Target"] for each in health if target.items() <= each["Target"].items()]
    return {"TargetGroupArn": group, **only(found)}


def _attach(client: Any, parameters: Properties) -> Properties:
    group = parameters.pop("TargetGroupArn")
    client.register_targets(TargetGroupArn=group, Targets=[parameters])
    return {}


def _detach(client: Any, id_: str, _: Properties) -> None:
    group, target = _target(id_)
    client.deregister_targets(TargetGroupArn=group, Targets=[target])


def _make_listener(client: Any, parameters: Properties) -> Properties:
    return only(client.create_listener(**parameters)["Listeners"])


def _set_listener(client: Any, arn: str, inputs: Properties) -> None:
    actions = [{"Type": each["type"], "TargetGroupArn": each["targetGroupArn"]} for each in inputs["defaultActions"]]
    client.modify_listener(ListenerArn=arn, Port=inputs["port"], Protocol=inputs["protocol"], DefaultActions=actions)


def _read_service(client: Any, id_: str) -> Properties:
    found = client.describe_vpc_endpoint_service_configurations(ServiceIds=[id_])["ServiceConfigurations"]
    live = only(found)
    if live["ServiceState"] == "Deleted":
        raise GoneError
    allowed = client.describe_vpc_endpoint_service_permissions(ServiceId=id_)["AllowedPrincipals"]
    return {**live, "AllowedPrincipals": [each["Principal"] for each in allowed]}


def _allow(client: Any, id_: str, inputs: Properties) -> None:
    live, wanted = set(_read_service(client, id_)["AllowedPrincipals"]), set(inputs.get("allowedPrincipals") or [])
    changes = {"AddAllowedPrincipals": sorted(wanted - live), "RemoveAllowedPrincipals": sorted(live - wanted)}
    given = {name: principals for name, principals in changes.items() if principals}
    if given:
        client.modify_vpc_endpoint_service_permissions(ServiceId=id_, **given)


def _accept(client: Any, id_: str, inputs: Properties) -> None:
    required = inputs["acceptanceRequired"]
    client.modify_vpc_endpoint_service_configuration(ServiceId=id_, AcceptanceRequired=required)


def _itself(_: Properties, arn: str, __: str) -> Properties:
    return {"arn": arn}


TYPES = (
    Resource(
        kind="aws:lb/loadBalancer:LoadBalancer",
        service="elbv2",
        create=_make_balancer,
        id="LoadBalancerArn",
        read=_read_balancer,
        delete=lambda client, arn, _: client.delete_load_balancer(LoadBalancerArn=arn),
        make=fields("name internal loadBalancerType=Type subnets securityGroups"),
        more=fields("enableCrossZoneLoadBalancing=CrossZone enableDeletionProtection=DeletionProtection"),
        # moto neither takes nor gives it
        local="enforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        show=fields("dnsName=DNSName vpcId zoneId=CanonicalHostedZoneId"),
        computed=lambda _, arn, __: {"arn": arn, "arnSuffix": arn.partition(":loadbalancer/")[2]},
        put={
            "enableCrossZoneLoadBalancing": _set_attribute(CROSS_ZONE, "enableCrossZoneLoadBalancing"),
            "enableDeletionProtection": _set_attribute("deletion_protection.enabled", "enableDeletionProtection"),
            "securityGroups": _set_groups,
        },
        name="name",
        defaults={
            "enableCrossZoneLoadBalancing": False,
            "enableDeletionProtection": False,
            "internal": False,
            "loadBalancerType": "application",
        },
        tags=tags.ELB,
        refused="accessLogs clientKeepAlive connectionLogs customerOwnedIpv4Pool desyncMitigationMode "
        "dnsRecordClientRoutingPolicy dropInvalidHeaderFields enableHttp2 enablePrefixForIpv6SourceNat "
        "enableTlsVersionAndCipherSuiteHeaders enableWafFailOpen enableXffClientPort enableZonalShift "
        "healthCheckLogs idleTimeout ipAddressType ipamPools minimumLoadBalancerCapacity namePrefix "
        "preserveHostHeader secondaryIpsAutoAssignedPerSubnet subnetMappings xffHeaderProcessingMode",
    ),
    Resource(
        kind="aws:lb/targetGroup:TargetGroup",
        service="elbv2",
        create=_make_target_group,
        id="TargetGroupArn",
        read=_read_target_group,
        delete=lambda client, arn, _: client.delete_target_group(TargetGroupArn=arn),
        make=fields("name port protocol targetType vpcId healthCheck.protocol=HealthCheckProtocol"),
        computed=lambda _, arn, __: {"arn": arn, "arnSuffix": arn.rpartition(":")[2]},
        put={"healthCheck": _check_health},
        name="name",
        defaults={"targetType": "instance"},
        tags=tags.ELB,
        refused="connectionTermination deregistrationDelay ipAddressType lambdaMultiValueHeadersEnabled "
        "loadBalancing* namePrefix preserveClientIp protocolVersion proxyProtocolV2 slowStart stickiness "
        "targetControlPort targetFailovers targetGroupHealth targetHealthStates",
    ),
    Resource(
        kind="aws:lb/targetGroupAttachment:TargetGroupAttachment",
        service="elbv2",
        create=_attach,
        id=lambda _, inputs: ",".join(
            str(inputs[name]) for name in ("targetGroupArn", "targetId", "port") if name in inputs
        ),
        read=_read_attachment,
        delete=_detach,
        make=fields("targetGroupArn targetId=Id port"),
        refused="availabilityZone quicServerId",
    ),
    Resource(
        kind="aws:lb/listener:Listener",
        service="elbv2",
        create=_make_listener,
        id="ListenerArn",
        read=lambda client, arn: only(client.describe_listeners(ListenerArns=[arn])["Listeners"]),
        delete=lambda client, arn, _: client.delete_listener(ListenerArn=arn),
        make=fields("loadBalancerArn port protocol defaultActions[].type defaultActions[].targetGroupArn"),
        computed=_itself,
        put={"port protocol defaultActions": _set_listener},
        tags=tags.ELB,
        refused="alpnPolicy certificateArn mutualAuthentication routingHttp* sslPolicy tcpIdleTimeoutSeconds",
    ),
    Resource(
        kind="aws:ec2/vpcEndpointService:VpcEndpointService",
        service="ec2",
        create="create_vpc_endpoint_service_configuration",
        id="ServiceConfiguration.ServiceId",
        read=_read_service,
        delete=lambda client, id_, _: client.delete_vpc_endpoint_service_configurations(ServiceIds=[id_]),
        make=fields("acceptanceRequired networkLoadBalancerArns"),
        more=fields("allowedPrincipals"),
        show=fields("serviceName state=ServiceState availabilityZones baseEndpointDnsNames"),
        computed=lambda _, id_, region: {"arn": f"arn:aws:ec2:{region}:{id_}"},
        put={"allowedPrincipals": _allow, "acceptanceRequired": _accept},
        tags=tags.EC2,
        refused="gatewayLoadBalancerArns privateDnsName supportedIpAddressTypes supportedRegions",
    ),
)
