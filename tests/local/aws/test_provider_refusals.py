"""What the provider refuses, by name; and that it never calls the real AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from cli.remedies import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.aws.local_aws import AwsProgram, LocalAws


def test_an_input_that_it_does_not_take_is_an_error(program: AwsProgram) -> None:
    program.write('aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", ipv6_ipam_pool_id="pool", opts=opts)')
    wanted = "the local AWS provider does not take the input ipv6IpamPoolId of aws:ec2/vpc:Vpc"
    assert wanted in program.preview(succeeds=False)
    program.write("""
    aws.s3.BucketLifecycleConfiguration(
        "rules", bucket="b", rules=[{"id": "a", "status": "Enabled", "prefix": "logs/"}], opts=opts
    )
    """)
    wanted = "the input rules[].prefix of aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    assert wanted in program.preview(succeeds=False)


def test_a_type_that_it_does_not_have_is_an_error(program: AwsProgram) -> None:
    program.write('aws.sqs.Queue("queue", opts=opts)')
    said = program.preview(succeeds=False)
    assert "the local AWS provider has no aws:sqs/queue:Queue: add it to local/aws/provider/types" in said


def test_a_service_without_an_endpoint_is_an_error(program: AwsProgram) -> None:
    """Without one, boto3 would call the real AWS."""
    program.write("""
    lame = aws.Provider("lame", region="eu-west-1", endpoints=[{"sts": "http://127.0.0.1:1"}])
    aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=lame))
    """)
    assert "no endpoint is set for ec2" in program.preview(succeeds=False)


def test_a_name_that_is_taken_is_explained(aws: LocalAws, program: AwsProgram) -> None:
    """With the object, the cause and the remedy, as `platform up`, `ground` and `explain` add it."""
    aws.client("s3").create_bucket(Bucket="taken", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    program.write('aws.s3.Bucket("data", bucket="taken", opts=opts)')
    said = explained(program.up(succeeds=False))
    assert said.startswith("Bucket data: "), said
    assert "BucketAlready" in said
    assert "remedy: the name is taken by an object that this stack did not make" in said
    aws.client("s3").delete_bucket(Bucket="taken")
    program.up()


REFUSED = """
def by(name, key, secret):
    made = aws.Provider(
        name,
        region="eu-west-1",
        access_key=key,
        secret_key=secret,
        endpoints=[{{"ec2": "{url}"}}],
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_requesting_account_id=True,
    )
    return pulumi.ResourceOptions(provider=made)

right = by("right", *{right})
aws.ec2.Vpc("office", cidr_block="10.1.0.0/16", opts=by("other", *{other}))
aws.ec2.Vpc("lab", cidr_block="10.2.0.0/16", opts=by("ann", *{ann}))
aws.ec2.SecurityGroup("nodes", name="nodes", description="nodes", vpc_id="{vpc}", opts=right)
aws.vpc.SecurityGroupIngressRule(
    "https",
    security_group_id="{full}",
    cidr_ipv4="10.0.1.0/24",
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=right,
)
"""
FULL = 60  # rules of a security group, at most
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
EXPLAINED = {
    "Vpc office": ("AuthFailure", "the credentials are missing, wrong or too old"),
    "Vpc lab": ("is not authorized to perform: ec2:CreateVpc", "in AWS allows ec2:CreateVpc to the deployer"),
    "SecurityGroup nodes": ("InvalidGroup.Duplicate", "the name is taken by an object"),
    "SecurityGroupIngressRule https": ("RulesPerSecurityGroupLimitExceeded", "the quota is reached"),
}


@pytest.fixture
def keys(aws: LocalAws) -> Iterator[dict[str, tuple[str, str]]]:
    """Keys of a user who may do everything, and of one who may do nothing; AWS asks for them until the end."""
    iam, found = aws.client("iam"), {}
    for name in ("right", "ann"):
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        found[name] = (made["AccessKeyId"], made["SecretAccessKey"])
    iam.put_user_policy(UserName="right", PolicyName="all", PolicyDocument=ALL)
    yield found
    httpx.post(f"{aws.url}/moto-api/reset-auth", content="inf").raise_for_status()


@pytest.mark.shows("aws: keys, rights, quotas of rules and names of groups are refused", client="pulumi-aws")
def test_each_refusal_is_explained_and_the_next_up_goes_on(
    aws: LocalAws, program: AwsProgram, keys: dict[str, tuple[str, str]]
) -> None:
    iam, ec2 = aws.client("iam", keys["right"]), aws.client("ec2", keys["right"])
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    taken, full = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("nodes", "full")
    )
    rules = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/24"}]}
        for port in range(1, FULL + 1)
    ]
    ec2.authorize_security_group_ingress(GroupId=full, IpPermissions=rules)
    httpx.post(f"{aws.url}/moto-api/reset-auth", content="0").raise_for_status()
    named = keys | {"url": aws.url, "vpc": vpc, "full": full}
    program.write(REFUSED.format(**named, other=("AKIAOTHER", "wrong")))
    said = explained(program.up("--continue-on-error", succeeds=False)).splitlines()
    assert len(said) == 2 * len(EXPLAINED) + 1, said
    causes = dict(zip(said[:-1:2], said[1::2], strict=True))
    for resource, (cause, remedy) in EXPLAINED.items():
        (line,) = (line for line in causes if line.startswith(f"{resource}: "))
        assert cause in line
        assert remedy in causes[line]

    iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=ALL)
    ec2.delete_security_group(GroupId=taken)
    ec2.revoke_security_group_ingress(GroupId=full, IpPermissions=rules[:1])
    program.write(REFUSED.format(**named, other=keys["right"]))
    program.up()
    program.preview("--expect-no-changes")


def test_an_endpoint_elsewhere_is_an_error(program: AwsProgram) -> None:
    program.write("""
    far = aws.Provider("far", region="eu-west-1", endpoints=[{"ec2": "https://ec2.eu-west-1.amazonaws.com"}])
    aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=far))
    """)
    said = program.preview(succeeds=False)
    assert "the endpoint of ec2 is https://ec2.eu-west-1.amazonaws.com" in said


def test_a_setting_that_it_does_not_take_is_an_error(program: AwsProgram) -> None:
    program.write("""
    other = aws.Provider("other", region="eu-west-1", assume_roles=[{"role_arn": "arn:aws:iam::123456789012:role/r"}])
    aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=other))
    """)
    assert "does not take the setting assumeRoles" in program.preview(succeeds=False)


ACCOUNT = """
one = aws.Provider(
    "one", region="eu-west-1", allowed_account_ids=["111122223333"], endpoints=[{{"sts": "{url}", "ec2": "{url}"}}]
)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=one))
pulumi.export("arn", vpc.arn)
"""


@pytest.mark.shows("aws: accounts by access key", client="pulumi-aws")
def test_keys_come_from_the_environment_and_say_which_account(aws: LocalAws, program: AwsProgram) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        program.environment.pop(name, None)
    program.write(ACCOUNT.format(url=aws.url))
    assert "the AWS provider has no accessKey: set AWS_ACCESS_KEY_ID" in program.up(succeeds=False)
    program.environment.update(AWS_ACCESS_KEY_ID="444455556666", AWS_SECRET_ACCESS_KEY="local")
    assert "the account is 444455556666, allowed: 111122223333" in program.up(succeeds=False)
    program.environment["AWS_ACCESS_KEY_ID"] = "111122223333"
    program.up()
    assert program.outputs()["arn"].startswith("arn:aws:ec2:eu-west-1:111122223333:vpc/")
