"""A network as `infra` makes it: zones, gateways, endpoints, groups with rules, and a service for other networks."""

import pulumi
import pulumi_aws as aws
from local_provider import opts

zones, region = ["eu-west-1a", "eu-west-1b"], "eu-west-1"

vpc = aws.ec2.Vpc(
    "vpc", cidr_block="10.0.0.0/16", enable_dns_support=True, enable_dns_hostnames=True, tags={"Name": "vpc"}, opts=opts
)
internet = aws.ec2.InternetGateway("internet", vpc_id=vpc.id, tags={"Name": "internet"}, opts=opts)
subnets, tables = [], []
for number, zone in enumerate(zones):
    subnet = aws.ec2.Subnet(
        f"private-{zone}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{number}.0/24",
        availability_zone=zone,
        map_public_ip_on_launch=False,
        opts=opts,
    )
    table = aws.ec2.RouteTable(f"private-{zone}", vpc_id=vpc.id, tags={"Name": zone}, opts=opts)
    aws.ec2.RouteTableAssociation(f"private-{zone}", route_table_id=table.id, subnet_id=subnet.id, opts=opts)
    subnets.append(subnet.id)
    tables.append(table.id)
public = aws.ec2.Subnet(
    "public",
    vpc_id=vpc.id,
    cidr_block="10.0.9.0/24",
    availability_zone=zones[0],
    map_public_ip_on_launch=True,
    opts=opts,
)
address = aws.ec2.Eip("address", domain="vpc", opts=opts)
nat = aws.ec2.NatGateway("nat", allocation_id=address.allocation_id, subnet_id=public.id, opts=opts)
aws.ec2.Route("out", route_table_id=tables[0], destination_cidr_block="0.0.0.0/0", nat_gateway_id=nat.id, opts=opts)
aws.ec2.Route("out-1", route_table_id=tables[1], destination_cidr_block="0.0.0.0/0", gateway_id=internet.id, opts=opts)

nodes = aws.ec2.SecurityGroup("nodes", name="nodes", description="Nodes", vpc_id=vpc.id, opts=opts)
aws.vpc.SecurityGroupIngressRule(
    "nodes-tcp",
    security_group_id=nodes.id,
    referenced_security_group_id=nodes.id,
    ip_protocol="tcp",
    from_port=0,
    to_port=65535,
    tags={"Name": "nodes-tcp"},
    opts=opts,
)
aws.vpc.SecurityGroupEgressRule(
    "nodes-out",
    security_group_id=nodes.id,
    cidr_ipv4="0.0.0.0/0",
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=opts,
)
aws.vpc.SecurityGroupEgressRule(
    "nodes-all", security_group_id=nodes.id, cidr_ipv4="10.0.0.0/16", ip_protocol="-1", opts=opts
)

aws.ec2.VpcEndpoint(
    "s3",
    vpc_id=vpc.id,
    service_name=f"com.amazonaws.{region}.s3",
    vpc_endpoint_type="Gateway",
    route_table_ids=tables,
    opts=opts,
)
aws.ec2.VpcEndpoint(
    "sts",
    vpc_id=vpc.id,
    service_name=f"com.amazonaws.{region}.sts",
    vpc_endpoint_type="Interface",
    subnet_ids=subnets,
    security_group_ids=[nodes.id],
    private_dns_enabled=True,
    tags={"Name": "sts"},
    opts=opts,
)

balancer = aws.lb.LoadBalancer(
    "broker",
    name="broker",
    internal=True,
    load_balancer_type="network",
    subnets=subnets,
    security_groups=[nodes.id],
    enforce_security_group_inbound_rules_on_private_link_traffic="off",
    enable_cross_zone_load_balancing=True,
    opts=opts,
)
target = aws.lb.TargetGroup(
    "broker",
    name="broker",
    port=9098,
    protocol="TCP",
    target_type="ip",
    vpc_id=vpc.id,
    health_check={"protocol": "TCP"},
    opts=opts,
)
aws.lb.TargetGroupAttachment("broker", target_group_arn=target.arn, target_id="10.0.0.9", port=9098, opts=opts)
aws.lb.Listener(
    "broker",
    load_balancer_arn=balancer.arn,
    port=9098,
    protocol="TCP",
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
    opts=opts,
)
service = aws.ec2.VpcEndpointService(
    "broker",
    acceptance_required=True,
    allowed_principals=["arn:aws:iam::565502421330:role/private-connectivity-role-eu-west-1"],
    network_load_balancer_arns=[balancer.arn],
    tags={"Name": "broker"},
    opts=opts,
)
pulumi.export("vpc", vpc.id)
pulumi.export("service", service.service_name)
