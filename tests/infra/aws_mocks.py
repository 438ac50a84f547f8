"""What AWS would answer: states of resources that are made, and lookups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi.runtime import mocks

REGION, ACCOUNT = "eu-west-1", "123456789012"
BROKERS = 3


def aws_state(args: mocks.MockResourceArgs) -> dict[str, Any]:
    """What AWS adds to a resource's inputs."""
    service, name = args.typ.split(":")[1].split("/")[0], args.typ.rsplit(":", 1)[-1]
    if name == "Role":
        return {"arn": f"arn:aws:iam::{ACCOUNT}:role/{args.inputs['name']}"}
    if name == "Key":
        return {"arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{args.name}", "keyId": args.name}
    if name == "Cluster":
        cluster = args.inputs["clusterName"]
        return {
            "arn": f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/{cluster}/00000000-0000-0000-0000-000000000009-1",
            "bootstrapBrokersSaslIam": ",".join(f"b-{n + 1}.{cluster}.example:9098" for n in range(BROKERS)),
        }
    added: dict[str, dict[str, Any]] = {
        "Configuration": {"latestRevision": 1},
        "Eip": {"allocationId": f"{args.name}-allocation"},
        "VpcEndpointService": {"serviceName": f"com.amazonaws.vpce.{REGION}.{args.name}"},
    }
    return {"arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{args.name}", **added.get(name, {})}


def aws_answer(args: mocks.MockCallArgs) -> dict[str, Any]:
    """What AWS would say of a cluster of Kafka."""
    name = args.token.rsplit(":", 1)[-1]
    if name == "getBootstrapBrokers":
        return {"bootstrapBrokersSaslIam": "b-1.adopted.example:9098"}
    if name == "getBrokerNodes":
        return {
            "nodeInfoLists": [
                {"brokerId": n + 1, "clientVpcIpAddress": f"10.20.0.{n + 1}", "endpoints": [f"b-{n + 1}.example"]}
                for n in reversed(range(BROKERS))
            ]
        }
    raise AssertionError(f"the program calls {args.token}, which has no mock")
