"""The server's memory: it outlives the process, however that ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from local.aws.state import FORMAT, State
from local.errors import AwsStateError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.aws.local_aws import AwsProgram, LocalAws

PROGRAM = """
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=opts)
subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24", opts=opts)
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id, opts=opts)
aws.vpc.SecurityGroupIngressRule(
    "rule", security_group_id=group.id, cidr_ipv4="10.0.0.0/16", ip_protocol="tcp", from_port=1, to_port=2, opts=opts
)
key = aws.kms.Key("key", description="Key", enable_key_rotation=True, opts=opts)
bucket = aws.s3.Bucket("bucket", bucket="kept", force_destroy=True, opts=opts)
role = aws.iam.Role("role", assume_role_policy='{"Version": "2012-10-17", "Statement": []}', opts=opts)
aws.lb.LoadBalancer("balancer", load_balancer_type="network", subnets=[subnet.id], opts=opts)
topic = aws.sns.Topic("topic", opts=opts)
pulumi.export("vpc", vpc.id)
pulumi.export("group", group.id)
pulumi.export("key", key.key_id)
"""


@pytest.mark.shows("aws: S3, KMS, EC2: objects, ciphertexts and rules outlive a crash", client="boto3")
def test_what_was_made_is_there_after_a_crash(aws: LocalAws, program: AwsProgram) -> None:
    program.write(PROGRAM)
    program.up()
    aws.client("s3").put_object(Bucket="kept", Key="folder/file", Body=b"content")
    outputs = program.outputs()
    text = aws.client("kms").encrypt(KeyId=outputs["key"], Plaintext=b"plain")["CiphertextBlob"]
    aws.kill()
    aws.start()
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    program.preview("--expect-no-changes")
    assert aws.client("s3").get_object(Bucket="kept", Key="folder/file")["Body"].read() == b"content"
    assert aws.client("kms").decrypt(CiphertextBlob=text)["Plaintext"] == b"plain"
    # what refers to each other still does: a rule added now belongs to the group that was there
    made = {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    aws.client("ec2").authorize_security_group_ingress(GroupId=outputs["group"], IpPermissions=[made])
    (group,) = aws.client("ec2").describe_security_groups(GroupIds=[outputs["group"]])["SecurityGroups"]
    assert {permission["FromPort"] for permission in group["IpPermissions"]} == {1, 9}


@pytest.mark.shows("aws: S3: objects are put, kept and deleted", client="boto3")
def test_contents_of_deleted_objects_do_not_stay(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="emptied", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="emptied", Key="gone", Body=b"gone")
    s3.put_object(Bucket="emptied", Key="kept", Body=b"kept")
    s3.delete_object(Bucket="emptied", Key="gone")
    aws.kill()
    aws.start()
    contents = {path.read_bytes() for path in (aws.folder / "objects").iterdir()}
    assert contents >= {b"kept"}
    assert b"gone" not in contents


@pytest.mark.shows("aws: S3: access logs, where the policy of their bucket lets S3 write", client="boto3")
def test_access_logs_need_a_policy_of_the_bucket_that_they_go_to(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    for bucket in ("logged", "logs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "access/logged/"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::logs"}
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": ["arn:aws:s3:::logs/elsewhere/*"],
    }

    def log_under(*statements: object) -> None:
        s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus=target)

    for statements in ([deny], [deny, allow]):
        with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
            log_under(*statements)
    log_under(deny, allow | {"Resource": ["arn:aws:s3:::logs/access/*"]})
    s3.put_object(Bucket="logged", Key="file", Body=b"content")
    (written, *_) = s3.list_objects_v2(Bucket="logs")["Contents"]
    assert written["Key"].startswith("access/logged/")


def test_what_a_workspace_wrote_to_a_bucket_goes_with_it(aws: LocalAws) -> None:
    s3, written = aws.client("s3"), aws.settings.s3 / "written" / "table"
    s3.create_bucket(Bucket="written", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    written.mkdir(parents=True)
    s3.put_object(Bucket="written", Key="table", Body=b"object")
    s3.delete_object(Bucket="written", Key="table")
    assert written.exists()
    s3.delete_bucket(Bucket="written")
    assert not written.parent.exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"moto 0.1\nrubbish", "was written by moto 0.1"), (b"{moto}\nrubbish", "cannot be read")],
)
def test_a_memory_that_cannot_be_read_is_told(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "state.pickle").write_bytes(data.replace(b"{moto}", FORMAT.encode()))
    with pytest.raises(AwsStateError, match=f"{says}.*remove this folder and deploy anew"):
        State(tmp_path).restore()
