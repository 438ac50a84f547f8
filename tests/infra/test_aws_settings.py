"""The section `ground.aws` of a stack's file, and what is wrong with wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from churn.core.faults import FaultsError
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings
from tests.infra.stack_files import write_stack_file

if TYPE_CHECKING:
    from pathlib import Path

DEV = REPOSITORY / "Pulumi.dev.yaml"
TOPICS = [{"name": name, "partitions": 1, "retention_hours": 1} for name in ("customer.events", "customer.events.dlq")]
ADOPTED_NETWORK = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"], "nodes_group_id": "sg-1"}
CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/shared/00000000-0000-0000-0000-000000000008-1"


def written(folder: Path, changes: dict[str, Any], stack: str = "dev") -> Path:
    """A copy of the file of `dev` with changes below `churn:ground.aws`; None removes a value."""
    below = {f"churn:ground.aws.{path}": value for path, value in changes.items()}
    return write_stack_file(folder, below, stack, DEV)


# The change, the field below `churn:ground.aws`, and what the message must contain.
FAULTS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"account_id": "12345"}, "account_id", ['"12345"', "id of the AWS account"]),
    ({"region": "europe"}, "region", ['"europe"', "such as eu-west-1"]),
    ({"endpoint": "https://aws.example.com"}, "endpoint", ["aws.example.com", "on this machine"]),
    ({"tags.owner": None}, "tags.owner", ["nothing", "who answers for it"]),
    ({"tags.team": "x"}, "tags.team", ["the unknown name 'team'", "cost_center, owner"]),
    ({"network.cidr": "10.20.0.0/25"}, "network.cidr", ["10.20.0.0/25", "/16 to /24"]),
    ({"network.cidr": "10.20.0.1/20"}, "network.cidr", ["10.20.0.1/20", "such as 10.20.0.0/16"]),
    ({"network.cidr": "8.8.0.0/16"}, "network.cidr", ["8.8.0.0/16", "a private network", "no connected network has"]),
    ({"network.zones": ["eu-west-1a", "eu-west-1b"]}, "network.zones", ["three availability zones"]),
    (
        {"network.zones": ["eu-west-1a", "eu-west-1b", "eu-north-1a"]},
        "network.zones",
        ["different zones of eu-west-1", "each once"],
    ),
    ({"network.zones": ["eu-west-1a", "eu-west-1a", "eu-west-1b"]}, "network.zones", ["different zones"]),
    ({"network.control_plane": None}, "network.control_plane", ["where nat is false", "set nat to true"]),
    ({"network": None}, "network", ["either network or adopted_network", "write one of the two"]),
    ({"adopted_network": ADOPTED_NETWORK}, "network", ["either network or adopted_network"]),
    ({"keys": {"storage": "alias/x"}}, "keys.storage", ["alias/x", "ARN of the key of buckets"]),
    ({"buckets": {"raw": "With.Dots"}}, "buckets.raw", ["With.Dots", "bucket of deliveries"]),
    ({"buckets": {"rw": "b"}}, "buckets.rw", ["the unknown name 'rw'", "write raw instead of rw"]),
    ({"kafka.version": "2.8.1"}, "kafka.version", ["2.8.1", "from 3.6 on"]),
    ({"kafka.broker_type": "t3.small"}, "kafka.broker_type", ["t3.small", "such as kafka.m7g.large"]),
    ({"kafka.maximum_storage_gib": 10, "kafka.storage_gib": 20}, "kafka.maximum_storage_gib", ["20 or more"]),
    ({"kafka.topics": [*TOPICS, TOPICS[0]]}, "kafka.topics", ['"customer.events"', "each name once"]),
    ({"kafka.topics": [TOPICS[0] | {"partitions": 0}, TOPICS[1]]}, "kafka.topics[0].partitions", ["received 0"]),
    (
        {"adopted_kafka": {"cluster_arn": CLUSTER, "topics": ["events"]}},
        "adopted_kafka",
        ["beside kafka", "remove adopted_kafka or kafka"],
    ),
    ({"github": {"subject": "repo:example/churn:*"}}, "github.subject", ["repo:example/churn:*", "the one subject"]),
    ({"watch.budget_usd_per_month": 0}, "watch.budget_usd_per_month", ["received 0", "US dollars"]),
    ({"watch.notify": []}, "watch.notify", ["notified of alarms"]),
    (
        {"databricks_account_id": "00000000-0000-0000-0000-00000000000f"},
        "databricks_account_id",
        ["the account_id of churn:platform", "write the same id in both"],
    ),
]


@pytest.mark.parametrize(("changes", "field", "said"), FAULTS)
def test_a_fault_names_field_value_and_remedy(
    tmp_path: Path, changes: dict[str, Any], field: str, said: list[str]
) -> None:
    with pytest.raises(FaultsError) as caught:
        read_settings(written(tmp_path, changes))
    (fault,) = caught.value.faults
    assert fault.field == f"churn:ground.aws.{field}"
    assert fault.remedy
    assert [part for part in said if part not in str(caught.value)] == []


def test_a_long_name_of_a_stack_is_refused_before_aws_does(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="17 characters or fewer"):
        read_settings(written(tmp_path, {}, "a_stack_with_a_name"))


def test_kafka_is_said_of_another_stack_alone(tmp_path: Path) -> None:
    file = write_stack_file(tmp_path, {"churn:ground.kafka": True}, "dev", REPOSITORY / "Pulumi.dev.yaml")
    with pytest.raises(FaultsError, match=r"churn:ground\.kafka: received true; allowed: true beside stack alone"):
        read_settings(file)


@pytest.mark.parametrize(
    "change", [{"churn:ground.stack": "example/churn/dev"}, {"churn:ground.storage_root": "s3://b"}]
)
def test_a_ground_in_aws_is_where_the_catalog_lies(tmp_path: Path, change: dict[str, Any]) -> None:
    file = write_stack_file(tmp_path, change, "dev", DEV)
    with pytest.raises(FaultsError, match="one of aws, stack, and storage_root, which may be null"):
        read_settings(file)


def test_everything_can_be_adopted(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    changes = {
        "network": None,
        "adopted_network": ADOPTED_NETWORK,
        "kafka": None,
        "adopted_kafka": {"cluster_arn": CLUSTER, "topics": ["customer.events", "customer.events.dlq"]},
        "keys": {"storage": key},
        "buckets": {"catalog": "existing"},
    }
    ground = read_settings(written(tmp_path, changes)).ground
    assert ground is not None
    assert ground.aws is not None
    assert ground.aws.keys.model_dump(exclude_none=True) == {"storage": key}
    assert ground.protect_data is False


def test_data_is_protected_unless_a_file_says_otherwise(tmp_path: Path) -> None:
    document = yaml.safe_load((REPOSITORY / "Pulumi.dev.yaml").read_text())
    document["config"]["churn:ground"].pop("protect_data")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump(document))
    ground = read_settings(file).ground
    assert ground is not None
    assert ground.protect_data is True
