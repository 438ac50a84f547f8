"""Roles of the ground: whom they trust, and that they may do no more than docs/security.md says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.layers.ground.documents.continuous_integration import continuous_integration
from infra.layers.ground.documents.control_plane import control_plane
from infra.layers.ground.documents.credentials import kafka_client, storage
from infra.layers.ground.documents.document import allow, deny, document
from infra.layers.ground.environment import Environment
from infra.layers.ground.roles import ROLES
from infra.once import settled_role
from infra.once.settled_role import SettledRoleProvider
from infra.written.paths import REPOSITORY
from tests.infra.ground import run_ground

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.layers.ground.documents.document import Statement
    from tests.infra.program import Program

PROD = Environment("123456789012", "eu-west-1", "prod")
CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/churn-prod-kafka/u-1"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/storage"
RIGHTS: dict[str, list[Statement]] = {
    "cross_account": control_plane(PROD, "vpc-1", "sg-1", KEY),
    "storage": storage(PROD, "churn-prod-storage", ["churn-prod-catalog", "churn-prod-raw"], [KEY]),
    "kafka_client": kafka_client(PROD, "churn-prod-kafka-client", CLUSTER, ["events", "events.dlq"]),
    "ci": continuous_integration(PROD, "churn-prod-ci"),
}
# Statements about everything, and the only actions that they may have: AWS narrows these to no resource, or the
# object has no name before it is made.
ABOUT_EVERYTHING = {
    "cross_account": {"Anywhere"},
    "storage": {"FileEventsLists"},
    "kafka_client": set(),
    "ci": {"Look", "LogDelivery", "MessagesEnd"},
}
# Actions that AWS narrows to no resource, by its Service Authorization Reference: beside a name they allow nothing.
WITHOUT_RESOURCE = {
    "kafka:DescribeClusterOperation",
    "kafka:GetBootstrapBrokers",
    "kafka:ListConfigurations",
    "logs:CreateLogDelivery",
    "logs:DescribeLogGroups",
    "logs:PutResourcePolicy",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
}
EVERYBODYS = {
    "EndpointNames",
    "Github",
    "NetworkMake",
    "Scaling",
    "ScalingAlarms",
    "ServiceRoles",
}  # parts of an account
DATABRICKS_ACCOUNT = "00000000-0000-0000-0000-000000000000"
MAXIMUM_CHARACTERS = 10_240  # of all inline policies of a role, from AWS, "IAM and AWS STS quotas"


def too_wide(statements: Iterable[Statement]) -> list[str]:
    """Allowed actions that stand for a whole service or for anything, but `GenerateDataKey*`, which has two forms."""
    return [
        action
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if "*" in action and action != "kms:GenerateDataKey*"
    ]


def about_everything(statements: Iterable[Statement]) -> set[str]:
    """Names of allowing statements whose resource is everything."""
    return {s["Sid"] for s in statements if s["Effect"] == "Allow" and "*" in s["Resource"]}


def documented() -> dict[str, dict[str, set[str]]]:
    """Actions in docs/security.md, by role and statement."""
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, set[str]]] = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        role = re.match(r"`(\w+)`", section)
        if role:
            rows = re.findall(r"^\| (\w+) \| (`.*?`) \| (.+?) \|$", section, re.MULTILINE)
            found[role[1]] = {sid: set(re.findall(r"`([^`]+)`", actions)) for sid, actions, _ in rows}
    return found


@pytest.mark.parametrize("role", RIGHTS)
def test_no_role_may_do_more_than_it_needs(role: str) -> None:
    assert too_wide(RIGHTS[role]) == []
    assert about_everything(RIGHTS[role]) == ABOUT_EVERYTHING[role]


def test_what_aws_narrows_to_no_resource_is_allowed_without_one() -> None:
    allowed = {action: s["Resource"] for s in RIGHTS["ci"] for action in s["Action"] if action in WITHOUT_RESOURCE}
    assert allowed == {action: ["*"] for action in WITHOUT_RESOURCE}


def test_continuous_integration_may_let_aws_make_the_roles_that_its_services_need() -> None:
    """Names from AWS: "Amazon MSK and Application Auto Scaling", and the managed policy `AmazonMSKFullAccess`."""
    (statement,) = (s for s in RIGHTS["ci"] if s["Action"] == ["iam:CreateServiceLinkedRole"])
    assert set(statement["Condition"]["StringEquals"]["iam:AWSServiceName"]) == {
        "delivery.logs.amazonaws.com",
        "elasticloadbalancing.amazonaws.com",
        "kafka.amazonaws.com",
        "kafka.application-autoscaling.amazonaws.com",
    }


@pytest.mark.parametrize(
    "statements",
    [[allow("Wide", ["s3:*"], ["arn:aws:s3:::b"])], [allow("Wide", ["*"], ["*"])], [allow("Wide", ["s3:Get*"], ["*"])]],
)
def test_a_wide_statement_would_be_found(statements: list[Statement]) -> None:
    assert too_wide(statements) == statements[0]["Action"]


@pytest.mark.parametrize("role", RIGHTS)
def test_the_documentation_lists_exactly_the_actions(role: str) -> None:
    allowed = {s["Sid"]: set(s["Action"]) for s in RIGHTS[role] if s["Effect"] == "Allow"}
    assert documented()[role] == allowed


def test_every_role_is_documented_and_every_documented_role_exists() -> None:
    assert set(documented()) == set(ROLES) == set(RIGHTS)


@pytest.mark.parametrize("role", RIGHTS)
def test_a_document_is_one_that_aws_takes(role: str) -> None:
    text = document(RIGHTS[role])
    sids = [statement["Sid"] for statement in RIGHTS[role]]
    assert len(text) <= MAXIMUM_CHARACTERS
    assert len(sids) == len(set(sids))
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    assert all(s["Action"] and s["Resource"] for s in RIGHTS[role])
    actions = [action for statement in RIGHTS[role] for action in statement["Action"]]
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+\*?", action) for action in actions)


def test_a_statement_without_conditions_has_no_empty_one() -> None:
    assert allow("A", ["b:C", "a:B"], ["r"]) == {
        "Sid": "A",
        "Effect": "Allow",
        "Action": ["a:B", "b:C"],
        "Resource": ["r"],
    }
    assert deny("A", ["a:B"], ["r"], principal="*")["Principal"] == "*"


def trust(program: Program, role: str) -> dict[str, dict[str, Any]]:
    """Statements of a role's trust policy, by their names."""
    policy = json.loads(program.of("Role")[role].inputs["assumeRolePolicy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_a_new_role_is_waited_for_by_whoever_is_given_it(program: Program) -> None:
    users = {
        "cross_account": program.of("MwsCredentials").values(),
        "storage": program.of("StorageCredential").values(),
        "kafka_client": program.of("Credential").values(),
    }
    for role, given in users.items():
        rights, settled = program.of("RolePolicy")[f"{role}-rights"], program.of("SettledRole")[f"{role}-settled"]
        assert rights.urn in settled.dependencies, "rights are new as well"
        assert all(settled.urn in resource.dependencies for resource in given)
        assert given or role == "cross_account", "a stack may adopt its workspace"
    assert users["cross_account"] or program.stack != "prod"


def test_a_role_made_anew_under_its_name_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(settled_role.time, "sleep", waited.append)
    provider, properties = SettledRoleProvider(), {"arn": "arn:aws:iam::1:role/a", "unique_id": "AROA1", "seconds": 20}
    assert provider.create(properties).outs == properties
    assert waited == [20]
    assert not provider.diff("id", properties, properties).changes
    assert provider.diff("id", properties, properties | {"seconds": 1}).replaces == []
    for changed in ({"arn": "arn:aws:iam::1:role/b"}, {"unique_id": "AROA2"}):
        assert provider.diff("id", properties, properties | changed).replaces == [*changed]


@pytest.mark.parametrize("role", ["storage", "kafka_client"])
def test_a_credentials_role_assumes_itself_with_the_external_id(ground: Program, role: str) -> None:
    found = trust(ground, role)
    arn = ground.outputs["role_arns"][role]
    external = {"sts:ExternalId": DATABRICKS_ACCOUNT}
    assert found["Itself"]["Condition"] == {"StringEquals": external, "ArnEquals": {"aws:PrincipalArn": arn}}
    assert found["UnityCatalog"]["Condition"] == {"StringEquals": external}
    assert found["UnityCatalog"]["Principal"]["AWS"].startswith("arn:aws:iam::414351767826:role/unity-catalog-prod")
    rights = json.loads(ground.of("RolePolicy")[f"{role}-rights"].inputs["policy"])["Statement"]
    (itself,) = (s for s in rights if s["Sid"] == "Itself")
    assert (itself["Action"], itself["Resource"]) == (["sts:AssumeRole"], [arn])


def test_the_control_plane_comes_in_by_the_external_id_alone(ground: Program) -> None:
    (statement,) = trust(ground, "cross_account").values()
    assert statement["Principal"] == {"AWS": "arn:aws:iam::414351767826:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": DATABRICKS_ACCOUNT}}


def test_the_control_plane_starts_nodes_in_the_stacks_network_alone(ground: Program) -> None:
    rights = json.loads(ground.of("RolePolicy")["cross_account-rights"].inputs["policy"])["Statement"]
    by_name = {statement["Sid"]: statement for statement in rights}
    network = "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-id"
    assert by_name["RunInNetwork"]["Condition"] == {"StringEquals": {"ec2:vpc": network}}
    assert by_name["SecurityGroup"]["Resource"] == ["arn:aws:ec2:eu-west-1:123456789012:security-group/nodes-id"]
    assert by_name["Disks"]["Resource"] == [ground.outputs["key_arns"]["storage"]]


def test_the_storage_role_touches_its_buckets_alone(ground: Program) -> None:
    rights = json.loads(ground.of("RolePolicy")["storage-rights"].inputs["policy"])["Statement"]
    by_name = {statement["Sid"]: statement for statement in rights}
    buckets = {
        f"arn:aws:s3:::churn-{ground.stack}-{purpose}-123456789012" for purpose in ("catalog", "checkpoints", "raw")
    }
    assert set(by_name["Buckets"]["Resource"]) == buckets
    assert set(by_name["Objects"]["Resource"]) == {f"{bucket}/*" for bucket in buckets}
    assert by_name["Key"]["Resource"] == [ground.outputs["key_arns"]["storage"]]


def test_the_kafka_client_reads_the_topics_of_the_settings(ground: Program) -> None:
    rights = json.loads(ground.of("RolePolicy")["kafka_client-rights"].inputs["policy"])["Statement"]
    by_name = {statement["Sid"]: statement for statement in rights}
    cluster = ground.of("Cluster")["cluster"].inputs["clusterName"]
    assert [arn.split(":")[-1].split("/")[:2] for arn in by_name["Read"]["Resource"]] == [["topic", cluster]]
    assert by_name["Read"]["Resource"][0].endswith("/customer.events")
    assert not any(
        "Create" in action or "Alter" in action for s in rights for action in s["Action"] if "Group" not in action
    )


def test_the_kafka_client_writes_dead_letters_alone(ground: Program) -> None:
    rights = json.loads(ground.of("RolePolicy")["kafka_client-rights"].inputs["policy"])["Statement"]
    written = [arn for s in rights if "kafka-cluster:WriteData" in s["Action"] for arn in s["Resource"]]
    assert [arn.rpartition("/")[2] for arn in written] == ["customer.events.dlq"]


@pytest.mark.parametrize(("topics", "absent"), [(["a"], {"DeadLetters", "Idempotence"}), (["a.dlq"], {"Read"})])
def test_the_kafka_client_has_no_right_without_a_topic(topics: list[str], absent: set[str]) -> None:
    assert not absent & {statement["Sid"] for statement in kafka_client(PROD, "role", CLUSTER, topics)}


def test_github_comes_in_without_a_key_for_one_subject(grounds: Mapping[str, Program]) -> None:
    (statement,) = trust(grounds["prod"], "ci").values()
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:example/churn-platform:environment:prod",
        }
    }
    assert "ci" not in grounds["dev"].of("Role"), "no role where the settings let nobody in"
    (statement,) = trust(grounds["adopted"], "ci").values()
    assert statement["Principal"]["Federated"].endswith(":oidc-provider/token.actions.githubusercontent.com")


def test_continuous_integration_cannot_change_its_own_role() -> None:
    (denied,) = (s for s in RIGHTS["ci"] if s["Effect"] == "Deny")
    assert denied["Resource"] == ["arn:aws:iam::123456789012:role/churn-prod-ci"]
    assert {"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"} <= set(denied["Action"])
    assert not any("AttachRolePolicy" in s["Action"] or "iam:PassRole" in s["Action"] for s in RIGHTS["ci"])


def test_continuous_integration_of_one_stack_leaves_others_alone() -> None:
    for statement in RIGHTS["ci"]:
        if statement["Sid"] in EVERYBODYS | ABOUT_EVERYTHING["ci"]:
            continue  # these have no name or tag of the stack to go by
        narrowed = "prod" in statement.get("Condition", {}).get("StringEquals", {}).values()
        assert narrowed or all("churn-prod" in arn for arn in statement["Resource"]), statement["Sid"]


def test_no_role_is_made_with_a_key_of_a_user(grounds: Mapping[str, Program]) -> None:
    kinds = {r.type for program in grounds.values() for r in program.resources}
    assert not kinds & {"aws:iam/user:User", "aws:iam/accessKey:AccessKey"}


def test_roles_follow_the_settings() -> None:
    program = run_ground("prod", {"github": None})
    assert set(program.of("Role")) == {"cross_account", "storage", "kafka_client"}
