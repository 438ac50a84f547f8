"""What happens to what is there: changed, replaced, drifted, imported, half made, tagged anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local.aws.local_aws import AwsProgram, LocalAws


@pytest.mark.shows("aws: EC2: networks and security groups change in place or are replaced", client="boto3")
def test_an_update_changes_what_can_be_changed_and_replaces_the_rest(aws: LocalAws, program: AwsProgram) -> None:
    source = """
    vpc = aws.ec2.Vpc("vpc", cidr_block="{cidr}", enable_dns_hostnames={hosts}, tags={tags}, opts=opts)
    group = aws.ec2.SecurityGroup("group", name="changed", description="{about}", vpc_id=vpc.id, opts=opts)
    rule = aws.vpc.SecurityGroupIngressRule(
        "rule",
        security_group_id=group.id,
        cidr_ipv4="10.0.0.0/8",
        ip_protocol="tcp",
        from_port={port},
        to_port=99,
        opts=opts,
    )
    pulumi.export("vpc", vpc.id)
    pulumi.export("group", group.id)
    pulumi.export("rule", rule.id)
    """
    first = {"cidr": "10.0.0.0/16", "hosts": False, "tags": {"a": "1", "b": "2"}, "about": "One", "port": 1}
    program.write(source.format(**first))
    program.up()
    before = program.outputs()

    second = first | {"hosts": True, "tags": {"a": "3"}, "port": 7}
    program.write(source.format(**second))
    assert "replace" not in program.preview()
    program.up()
    assert program.outputs() == before
    ec2 = aws.client("ec2")
    (vpc,) = ec2.describe_vpcs(VpcIds=[before["vpc"]])["Vpcs"]
    assert {tag["Key"]: tag["Value"] for tag in vpc["Tags"]} == {"a": "3", "stack": "test"}
    assert ec2.describe_vpc_attribute(VpcId=before["vpc"], Attribute="enableDnsHostnames")["EnableDnsHostnames"][
        "Value"
    ]
    (rule,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[before["rule"]])["SecurityGroupRules"]
    assert rule["FromPort"] == 7

    program.write(source.format(**second | {"about": "Two"}))  # a description is for ever, and a name is taken
    assert "replace" in program.preview()
    program.up()
    after = program.outputs()
    assert after["vpc"] == before["vpc"]
    assert after["group"] != before["group"]
    program.preview("--expect-no-changes")


@pytest.mark.shows("aws: EC2, S3, IAM: drift is seen and mended", client="boto3")
def test_drift_is_seen_and_mended(aws: LocalAws, program: AwsProgram) -> None:
    program.write("""
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, opts=opts)
    block = aws.s3.Bucket("drifts", bucket="drifts", opts=opts)
    access = aws.s3.BucketPublicAccessBlock(
        "drifts", bucket=block.bucket, block_public_acls=True, restrict_public_buckets=True, opts=opts
    )
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = aws.iam.Role("role", name="drifts", assume_role_policy=trust, opts=opts)
    pulumi.export("vpc", vpc.id)
    """)
    program.up()
    ec2, s3, iam = aws.client("ec2"), aws.client("s3"), aws.client("iam")
    vpc = program.outputs()["vpc"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "foreign", "Value": "1"}])
    s3.put_public_access_block(Bucket="drifts", PublicAccessBlockConfiguration={"BlockPublicAcls": False})
    iam.delete_role(RoleName="drifts")
    seen = program.run("refresh", "--yes", "--skip-preview")
    assert "2 updated" in seen
    assert "1 deleted" in seen
    program.up()
    assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"] == [{"Key": "stack", "Value": "test"}]
    assert s3.get_public_access_block(Bucket="drifts")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    assert iam.get_role(RoleName="drifts")
    program.preview("--expect-no-changes")


@pytest.mark.shows("aws: EC2, CloudWatch Logs: what exists is imported", client="boto3")
def test_what_exists_is_imported(aws: LocalAws, program: AwsProgram) -> None:
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    aws.client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "stack", "Value": "test"}])
    aws.client("logs").create_log_group(logGroupName="found", tags={"stack": "test"})
    aws.client("logs").put_retention_policy(logGroupName="found", retentionInDays=30)
    source = """
    def found(id):
        return pulumi.ResourceOptions(provider=provider, import_=id)

    aws.ec2.Vpc("vpc", cidr_block="{cidr}", opts=found("{vpc}"))
    aws.cloudwatch.LogGroup("logs", name="found", retention_in_days=30, opts=found("found"))
    """
    program.write(source.format(vpc=vpc, cidr="10.8.0.0/16"))
    assert "cidrBlock" in program.preview("--diff")
    program.write(source.format(vpc=vpc, cidr="10.7.0.0/16"))
    assert "2 imported" in program.up()
    program.write(source.format(vpc=vpc, cidr="10.7.0.0/16").replace("import_=id", ""))
    program.preview("--expect-no-changes")


@pytest.mark.shows("aws: EC2: a resource that was made by half is mended", client="boto3")
def test_a_half_made_resource_is_mended_by_the_next_run(aws: LocalAws, program: AwsProgram) -> None:
    source = 'gateway = aws.ec2.InternetGateway("half", vpc_id="{vpc}", opts=opts); pulumi.export("id", gateway.id)'
    before = len(aws.client("ec2").describe_internet_gateways()["InternetGateways"])
    program.write(source.format(vpc="vpc-0123"))
    assert "InvalidVpcID.NotFound" in program.up(succeeds=False)
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    program.write(source.format(vpc=vpc))
    program.up()
    gateways = aws.client("ec2").describe_internet_gateways()["InternetGateways"]
    assert len(gateways) == before + 1  # it was not made twice
    (made,) = [each for each in gateways if each["InternetGatewayId"] == program.outputs()["id"]]
    assert [attachment["VpcId"] for attachment in made["Attachments"]] == [vpc]
    assert made["Tags"] == [{"Key": "stack", "Value": "test"}]
    program.preview("--expect-no-changes")


@pytest.mark.shows("aws: KMS: a deleted key waits for the end of its window", client="boto3")
def test_destroy_leaves_nothing(aws: LocalAws, program: AwsProgram) -> None:
    program.write('key = aws.kms.Key("key", deletion_window_in_days=7, opts=opts); pulumi.export("id", key.key_id)')
    program.up()
    key = program.outputs()["id"]
    program.run("destroy", "--yes", "--skip-preview")
    assert aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    program.run("destroy", "--yes", "--skip-preview")


@pytest.mark.shows("aws: S3: a preview makes nothing", client="boto3")
def test_what_is_not_known_yet_is_unknown_in_the_preview(aws: LocalAws, program: AwsProgram) -> None:
    """Nested and whole inputs of resources that are not there yet; and nothing is made by looking."""
    program.write("""
    key = aws.kms.Key("key", opts=opts)
    bucket = aws.s3.Bucket("planned", bucket="planned", opts=opts)
    aws.s3.BucketServerSideEncryptionConfiguration(
        "planned",
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}}],
        opts=opts,
    )
    aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", tags={"key": key.arn}, opts=opts)
    aws.s3.BucketLifecycleConfiguration(
        "planned", bucket=bucket.bucket, rules=key.arn.apply(lambda arn: [{"id": arn, "status": "Enabled"}]), opts=opts
    )
    key.arn.apply(lambda arn: print(f"the key is {arn}"))
    """)
    assert "the key is" not in program.preview()
    with pytest.raises(ClientError, match="404"):
        aws.client("s3").head_bucket(Bucket="planned")


@pytest.mark.shows("aws: SNS, STS: topics, and who calls", client="boto3")
def test_secrets_stay_secret(aws: LocalAws, program: AwsProgram) -> None:
    program.write("""
    topic = aws.sns.Topic("topic", name="secretive", display_name=pulumi.Output.secret("hush-hush"), opts=opts)
    pulumi.export("name", topic.display_name)
    """)
    assert "hush-hush" not in program.preview() + program.up()
    assert "hush-hush" not in program.run("stack", "export")
    assert program.outputs()["name"] == "hush-hush"
    arn = f"arn:aws:sns:eu-west-1:{aws.client('sts').get_caller_identity()['Account']}:secretive"
    assert aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "hush-hush"
