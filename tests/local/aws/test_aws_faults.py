"""AWS that fails on request: what the provider survives, as the published one does, and what a lost answer leaves.

Refusals and delays are survived. After a lost answer the request is sent again: what is known by its name is then found
to be made. EC2 and KMS give ids of their own and take no token for most objects, so that a second one is made, and a
name that must be unique is refused as taken (`InvalidGroup.Duplicate`), as in AWS. `infra.adoption` finds both by their
tags, which objects have from the start.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from local.aws.provider.clients import Clients
from local.aws.provider.types import TYPES
from local.faults import Fault
from tests.local.aws.local_aws import REGION
from tests.seeds import first_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.aws.local_aws import AwsProgram, LocalAws

PROGRAMS = Path(__file__).with_name("programs")
TRUST = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def ask(aws: LocalAws) -> Iterator[Callable[..., None]]:
    """Asks for faults until the end of the test."""

    def request(rate: float, seed: int, *kinds: Fault) -> None:
        aws.settings.faults.write_text(json.dumps({"rate": rate, "seed": seed, "kinds": kinds}))

    yield request
    aws.settings.faults.unlink(missing_ok=True)


@pytest.mark.shows("aws: refusals and late answers on request", client="pulumi-aws")
@pytest.mark.parametrize("name", ["network", "storage"])
def test_refusals_and_delays_are_survived(program: AwsProgram, ask: Callable[..., None], name: str) -> None:
    program.write((PROGRAMS / f"{name}.py").read_text())
    ask(0.05, 1, Fault.BUSY, Fault.UNAVAILABLE, Fault.SLOW)
    program.up()
    program.preview("--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


@pytest.mark.shows("aws: too many requests are refused as each service does, on request", client="boto3")
@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("iam", "list_roles", "Throttling"),
        ("kafka", "list_clusters_v2", "TooManyRequestsException"),
        ("kms", "list_keys", "ThrottlingException"),
        ("s3", "list_buckets", "SlowDown"),
    ],
)
def test_too_many_requests_are_refused_as_each_service_does(
    aws: LocalAws, ask: Callable[..., None], service: str, call: str, code: str
) -> None:
    ask(1.0, 1, Fault.BUSY)
    with pytest.raises(ClientError) as refused:
        getattr(limited(aws, service, attempts=1), call)()
    assert refused.value.response["Error"]["Code"] == code
    ask(0.5, first_only(0.5), Fault.BUSY)
    getattr(limited(aws, service, attempts=2), call)()


@pytest.mark.shows("aws: requests without an answer on request", client="boto3")
def test_a_client_with_a_time_limit_asks_again_where_no_answer_comes(aws: LocalAws, ask: Callable[..., None]) -> None:
    ask(1.0, 1, Fault.HANG)
    with pytest.raises(ReadTimeoutError):
        limited(aws, "sts", attempts=1, seconds=1).get_caller_identity()
    ask(0.5, first_only(0.5), Fault.HANG)
    assert limited(aws, "sts", attempts=2, seconds=5).get_caller_identity()["Account"]


def limited(aws: LocalAws, service: str, attempts: int, seconds: int = 60) -> Any:
    """A client of AWS with so many attempts, each of which waits so many seconds for its answer."""
    waits = Config(read_timeout=seconds, retries={"total_max_attempts": attempts, "mode": "standard"}, proxies={})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=REGION, endpoint_url=aws.url, config=waits, **keys)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.9.0.0/16"}),
        ("aws:kms/key:Key", {"description": "lost"}),
        ("aws:iam/role:Role", {"name": "born", "assumeRolePolicy": json.dumps(TRUST)}),
        ("aws:sns/topic:Topic", {"name": "born"}),
        ("aws:cloudwatch/logGroup:LogGroup", {"name": "born"}),
    ],
)
def test_an_object_has_its_tags_from_the_start(aws: LocalAws, kind: str, inputs: dict[str, Any]) -> None:
    """So that one whose maker is killed right after is known."""
    resource = TYPES[kind]
    assert resource.tags
    keys = {"accessKey": "test", "secretKey": "test", "region": REGION}
    client = Clients({**keys, "endpoints": [{resource.service: aws.url}]}).client(resource.service)
    made = resource.make_it(client, inputs, {"stack": "born"})
    assert resource.tags.read(client, made, resource.read(client, made)) == {"stack": "born"}
    resource.delete(client, made, inputs)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("aws:s3/bucket:Bucket", {"bucket": "lost"}),
        ("aws:iam/role:Role", {"name": "lost", "assumeRolePolicy": json.dumps(TRUST)}),
        ("aws:cloudwatch/logGroup:LogGroup", {"name": "lost"}),
    ],
)
def test_what_a_lost_answer_has_made_is_found(
    aws: LocalAws, ask: Callable[..., None], kind: str, inputs: dict[str, Any]
) -> None:
    resource = TYPES[kind]
    keys = {"accessKey": "test", "secretKey": "test", "region": REGION}
    client = Clients({**keys, "endpoints": [{resource.service: aws.url}]}).client(resource.service)
    ask(0.5, first_only(0.5), Fault.LOST_ANSWER)
    assert resource.make_it(client, inputs) == "lost"
    aws.settings.faults.unlink()
    with pytest.raises(ClientError, match="Already"):  # of one that somebody else has made
        resource.make_it(client, inputs)
    resource.delete(client, "lost", inputs)
