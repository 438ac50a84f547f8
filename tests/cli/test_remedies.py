"""Explanations of refusals in the engine's output, as it was seen."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.errors import CommandError
from cli.programs import run_logged
from cli.remedies import REMEDIES, explained

if TYPE_CHECKING:
    from pathlib import Path

OUTPUT = """\
Updating (proof):

Diagnostics:
  databricks:index:Credential (kafka):
    error:   sdk-v2/provider2.go:571: sdk.helper_schema: cannot create credential: {cause}: provider=databricks@1.104.0
    error: 1 error occurred:
    \t* cannot create credential: {cause}

  pulumi:pulumi:Stack (workspace-proof):
    error: update failed

Resources:
    8 errored
"""
# As the published provider says it, and what is to be done.
AWS = "creating EC2 VPC: operation error EC2: CreateVpc, https response error StatusCode: 400, RequestID: 0-1,"
CREDENTIALS = "the credentials are missing, wrong or too old"
DENIED = "AWS does not allow this to the deployer"
LACKS = "the deployer lacks a right of the workspace or the account"
QUOTA = "the quota is reached"
GOES_ON = "What was made until then is kept: the next deployment goes on from there."


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("default auth: cannot configure default credentials", "the credentials are missing, wrong or too old"),
        ("Invalid access token.", "the credentials are missing, wrong or too old"),
        (
            "User does not have CREATE SERVICE CREDENTIAL on Metastore 'churn'.",
            (
                "who owns Metastore 'churn', or holds MANAGE on it, runs: GRANT CREATE SERVICE CREDENTIAL ON Metastore "
                "'churn' TO the deployer"
            ),
        ),
        ("User is not an owner of Routine or Model 'a.b.c'.", "who owns Routine or Model 'a.b.c' changes it"),
        ("Cannot create 1 Schema(s) in Catalog churn (estimated count: 10, limit: 10).", "the quota is reached"),
        ("Storage configuration limit exceeded, only 50 are allowed", "the quota is reached"),
        ("Credential 'kafka' already exists", "the name is taken by an object that this stack did not make"),
        ("BucketAlreadyExists: the requested bucket name is not available", "the name is taken by an object"),
        ("The pipeline name 'churn-dev' is already used by another pipeline.", "the name is taken by an object"),
        ("ann@example.com is not an administrator of account 0-1", LACKS),
        ("churn is not a manager by rule set accounts/0-1/servicePrincipals/2/ruleSets/default", LACKS),
        ("This API is disabled for users without the workspace-access entitlement.", LACKS),
        (f"{AWS} api error AuthFailure: AWS was not able to validate the provided access credentials", CREDENTIALS),
        (f"{AWS} api error SignatureDoesNotMatch: The request signature we calculated does not match", CREDENTIALS),
        (f"{AWS} api error UnrecognizedClientException: The security token included in the request is", CREDENTIALS),
        (
            (
                f"{AWS} api error AccessDenied: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
                "iam:CreateRole on resource: arn:aws:iam::123456789012:role/churn because no identity-based policy"
            ),
            "who administers the account in AWS allows iam:CreateRole to the deployer",
        ),
        (f"{AWS} api error UnauthorizedOperation: You are not authorized to perform this operation.", DENIED),
        (f"{AWS} api error AccessDenied: Access Denied", DENIED),
        (f"{AWS} api error VpcLimitExceeded: The maximum number of VPCs has been reached.", QUOTA),
        (f"{AWS} api error AddressLimitExceeded: The maximum number of addresses has been reached.", QUOTA),
        (f"{AWS} LimitExceededException: You have exceeded the number of keys", QUOTA),
        (f"{AWS} api error TooManyBuckets: You have attempted to create more buckets than allowed", QUOTA),
        (f"{AWS} ServiceQuotaExceededException: the quota of brokers", QUOTA),
        (
            f"{AWS} api error InvalidGroup.Duplicate: The security group 'nodes' already",
            "the name is taken by an object",
        ),
        (f"{AWS} DuplicateLoadBalancerNameException: A load balancer 'b-1' is there", "the name is taken by an object"),
    ],
)
def test_a_refusal_is_explained_once_with_object_cause_and_remedy(cause: str, remedy: str) -> None:
    first, second, last = explained(OUTPUT.format(cause=cause)).splitlines()
    assert first == f"Credential kafka: cannot create credential: {cause}"
    assert second.startswith(f"  remedy: {remedy}")
    assert last == GOES_ON


def test_what_is_not_known_is_not_explained() -> None:
    assert explained(OUTPUT.format(cause="the moon is full")) == ""
    busy = "operation error EC2: CreateVpc, api error RequestLimitExceeded: Request limit exceeded."
    assert explained(OUTPUT.format(cause=busy)) == "", "no quota of objects"
    assert explained("already exists, said a log before the list of diagnostics") == ""


@pytest.mark.parametrize(("cause", "status"), [("Credential 'kafka' already exists", 1), ("the moon is full", 0)])
def test_what_another_engine_says_is_passed_on_and_explained(cause: str, status: int) -> None:
    """As in `pulumi up --yes 2>&1 | platform explain`."""
    said = OUTPUT.format(cause=cause)
    command = [sys.executable, "-c", "from cli.main import main; main()", "explain"]
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, said), done.stderr
    assert ("remedy: the name is taken" in done.stderr) == bool(status)


def test_each_remedy_is_of_one_kind_of_refusal() -> None:
    assert len({remedy.text for remedy in REMEDIES}) == len(REMEDIES)


def test_the_explanation_ends_the_error_of_a_command(tmp_path: Path) -> None:
    said = OUTPUT.format(cause="Credential 'kafka' already exists")
    command = [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"]
    with pytest.raises(CommandError) as raised:
        run_logged(command, tmp_path / "log", lambda _: None, remedy=explained)
    assert str(raised.value).endswith(explained(said))
