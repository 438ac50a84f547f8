"""Buckets and keys of the ground."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.layers.ground.buckets import BUCKETS, CREDENTIAL_BUCKETS
from infra.layers.ground.keys import KEYS
from infra.written.settings.aws import AdoptedBuckets, AdoptedKeys
from tests.infra.program import Program, Registered

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPANIONS = {
    "BucketLifecycleConfiguration",
    "BucketOwnershipControls",
    "BucketPolicy",
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
}


def missing_companions(resources: Iterable[Registered]) -> list[str]:
    """What each bucket lacks."""
    kinds = [(r.type.rsplit(":", 1)[-1], r.inputs) for r in resources]
    having = {(kind, inputs.get("bucket")) for kind, inputs in kinds}
    buckets = [inputs["bucket"] for kind, inputs in kinds if kind == "Bucket"]
    return [f"{bucket}: {kind}" for bucket in buckets for kind in sorted(COMPANIONS) if (kind, bucket) not in having]


def keys_that_do_not_rotate(resources: Iterable[Registered]) -> list[str]:
    return [r.name for r in resources if r.type.endswith(":Key") and r.inputs.get("enableKeyRotation") is not True]


def statements(policy: str) -> dict[str, dict[str, Any]]:
    """Statements of a document by their names."""
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_every_bucket_has_its_companions(ground: Program) -> None:
    assert len(ground.of("Bucket")) == len(BUCKETS)
    assert missing_companions(ground.resources) == []


@pytest.mark.parametrize("companion", sorted(COMPANIONS))
def test_a_missing_companion_would_be_found(ground: Program, companion: str) -> None:
    rest = [r for r in ground.resources if r.name != "raw-policy" and not r.type.endswith(f":{companion}")]
    assert f"churn-{ground.stack}-raw-123456789012: {companion}" in missing_companions(rest)


def test_nothing_of_a_bucket_is_public(ground: Program) -> None:
    for block in ground.of("BucketPublicAccessBlock").values():
        assert {value for key, value in block.inputs.items() if key != "bucket"} == {True}
        assert len(block.inputs) == 5
    for ownership in ground.of("BucketOwnershipControls").values():
        assert ownership.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    for policy in ground.of("BucketPolicy").values():
        for statement in statements(policy.inputs["policy"]).values():
            assert statement["Effect"] == "Deny" or statement["Principal"] != "*"


def test_every_bucket_refuses_what_is_not_encrypted_on_its_way(ground: Program) -> None:
    for policy in ground.of("BucketPolicy").values():
        found = statements(policy.inputs["policy"])
        bucket = f"arn:aws:s3:::{policy.inputs['bucket']}"
        for name, condition in (
            ("NoPlainText", {"Bool": {"aws:SecureTransport": "false"}}),
            ("NoOldTls", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ):
            assert found[name]["Effect"] == "Deny"
            assert found[name]["Principal"] == "*"
            assert found[name]["Action"] == ["s3:*"]
            assert found[name]["Resource"] == [bucket, f"{bucket}/*"]
            assert found[name]["Condition"] == condition


def test_the_bucket_of_logs_hears_of_every_other(ground: Program) -> None:
    targets = {r.inputs["bucket"]: r.inputs for r in ground.of("BucketLogging").values()}
    names = {purpose: bucket.inputs["bucket"] for purpose, bucket in ground.of("Bucket").items()}
    logs = names.pop("logs")
    assert {name: (each["targetBucket"], each["targetPrefix"]) for name, each in targets.items()} == {
        name: (logs, f"access/{purpose}/") for purpose, name in names.items()
    }
    policies = {name: statements(policy.inputs["policy"]) for name, policy in ground.of("BucketPolicy").items()}
    assert {name for name, found in policies.items() if "AccessLogs" in found} == {"logs-policy"}
    said = policies["logs-policy"]["AccessLogs"]
    assert (said["Principal"], said["Action"]) == ({"Service": "logging.s3.amazonaws.com"}, ["s3:PutObject"])
    assert said["Resource"] == [f"arn:aws:s3:::{logs}/access/*"]
    assert said["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::churn-{ground.stack}-*"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
    policy = ground.of("BucketPolicy")["logs-policy"]
    assert all(policy.urn in logging.dependencies for logging in ground.of("BucketLogging").values())


def test_every_bucket_is_encrypted_by_the_own_key_and_keeps_versions(ground: Program) -> None:
    encryptions = ground.of("BucketServerSideEncryptionConfiguration")
    (of_logs,) = encryptions.pop("logs-encryption").inputs["rules"]
    assert of_logs["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}, "S3 delivers to no other"
    for encryption in encryptions.values():
        (rule,) = encryption.inputs["rules"]
        default = rule["applyServerSideEncryptionByDefault"]
        assert default == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": ground.outputs["key_arns"]["storage"]}
        assert rule["bucketKeyEnabled"] is True
    for versioning in ground.of("BucketVersioning").values():
        assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_old_versions_and_unfinished_uploads_go(ground: Program) -> None:
    for purpose, kind in BUCKETS.items():
        rules = {r["id"]: r for r in ground.of("BucketLifecycleConfiguration")[f"{purpose}-lifecycle"].inputs["rules"]}
        assert rules["old-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": kind.old_version_days}
        assert rules["unfinished-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
        assert ("past-their-time" in rules) == (purpose == "logs"), "only logs are deleted by their age"


def test_only_the_workspaces_bucket_lets_databricks_in(ground: Program) -> None:
    for name, policy in ground.of("BucketPolicy").items():
        found = statements(policy.inputs["policy"])
        assert ("Workspace" in found) == (name == "workspace-policy")
    condition = statements(ground.of("BucketPolicy")["workspace-policy"].inputs["policy"])["Workspace"]["Condition"]
    account = "00000000-0000-0000-0000-000000000000"
    assert condition == {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": account}}


def test_the_outputs_lead_to_the_buckets(ground: Program) -> None:
    names = {name: bucket.inputs["bucket"] for name, bucket in ground.of("Bucket").items()}
    assert ground.outputs["catalog_url"] == f"s3://{names['catalog']}"
    assert ground.outputs["storage_root"] == f"s3://{names['catalog']}/managed"
    assert ground.outputs["raw_url"] == f"s3://{names['raw']}"
    assert ground.outputs["checkpoints_url"] == f"s3://{names['checkpoints']}"
    assert ground.outputs["workspace_bucket"] == names["workspace"]
    assert ground.outputs["logs_bucket"] == names["logs"]
    assert set(CREDENTIAL_BUCKETS) < set(BUCKETS)


def test_every_key_rotates_and_has_an_alias(ground: Program) -> None:
    assert len(ground.of("Key")) == len(KEYS)
    assert keys_that_do_not_rotate(ground.resources) == []
    assert {alias.inputs["targetKeyId"] for alias in ground.of("Alias").values()} == set(ground.of("Key"))


def test_a_key_that_does_not_rotate_would_be_found() -> None:
    key = Registered("aws:kms/key:Key", "k", "", "", {"enableKeyRotation": False}, True, False, False, "", ())
    assert keys_that_do_not_rotate([key]) == ["k"]


def test_a_key_lets_in_the_account_and_named_services_alone(ground: Program) -> None:
    for key in ground.of("Key").values():
        for name, statement in statements(key.inputs["policy"]).items():
            if name == "Account":
                assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
            else:
                assert statement["Condition"], f"{key.name}: {name} is for some customer alone"
                assert "kms:*" not in statement["Action"]


def test_keys_wait_longer_before_they_go_where_data_is_protected(ground: Program) -> None:
    days = {key.inputs["deletionWindowInDays"] for key in ground.of("Key").values()}
    assert days == ({30} if ground.stack == "prod" else {7})


def test_settings_name_the_same_keys_and_buckets() -> None:
    assert list(AdoptedKeys.model_fields) == list(KEYS)
    assert list(AdoptedBuckets.model_fields) == list(BUCKETS)
