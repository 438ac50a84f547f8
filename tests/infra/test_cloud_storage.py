"""The ground in AWS in Unity Catalog: credentials, external locations, what lies there, and storage that exists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import StorageRootError
from infra.layers.platform.storage_root import check_covered, check_metastore_root
from tests.infra import program as mocked
from tests.infra.program import RUNNER, Program, Registered, run, without_a_stream

if TYPE_CHECKING:
    from pulumi.runtime.mocks import MockCallArgs

DOMAINS = ("customer", "marketing", "support", "transactions", "usage")


def bucket(program: Program, purpose: str) -> str:
    return f"s3://churn-{program.stack}-{purpose}-123456789012"


def awaited(program: Program, resource: Registered) -> set[str]:
    """URNs of what must be there before a resource is made: of its dependencies and of the components around it."""
    by_urn = {each.urn: each for each in program.resources}
    found: set[str] = set()
    waiting = [resource]
    while waiting:
        each = waiting.pop()
        new = {each.parent, *each.dependencies} & by_urn.keys() - found
        found |= new
        waiting += [by_urn[urn] for urn in new]
    return found


def test_locations_lie_over_the_buckets_of_the_ground(program: Program) -> None:
    locations = program.of("ExternalLocation")
    assert {name: location.inputs["url"] for name, location in locations.items()} == {
        "catalog-location": bucket(program, "catalog"),
        "checkpoints-location": bucket(program, "checkpoints"),
        **{f"landing-{domain}-location": f"{bucket(program, 'raw')}/{domain}" for domain in DOMAINS},
    }
    (credential,) = program.of("StorageCredential").values()
    assert credential.inputs["awsIamRole"]["roleArn"].endswith(f":role/churn-{program.stack}-storage")
    (kafka,) = program.of("Credential").values()
    assert kafka.inputs["purpose"] == "SERVICE"
    assert kafka.inputs["awsIamRole"]["roleArn"].endswith(f":role/churn-{program.stack}-kafka-client")
    for securable in (credential, kafka, *locations.values()):
        assert securable.inputs["name"].startswith(f"churn-{program.stack}-"), "stacks share the names of a metastore"
        assert securable.inputs["isolationMode"] == "ISOLATION_MODE_ISOLATED"
        assert securable.inputs["comment"]
        assert "skipValidation" not in securable.inputs, "a role or bucket that does not work is found here"
    assert {location.inputs["credentialName"] for location in locations.values()} == {credential.inputs["name"]}


def test_the_catalog_and_deliveries_lie_in_their_locations(program: Program) -> None:
    catalog = program.of("Catalog")["catalog"]
    assert catalog.inputs["storageRoot"] == f"{bucket(program, 'catalog')}/managed"
    assert program.of("ExternalLocation")["catalog-location"].urn in awaited(program, catalog)
    volumes = program.of("Volume")
    for domain in DOMAINS:
        volume = volumes[f"landing-{domain}"].inputs
        assert (volume["schemaName"], volume["name"], volume["volumeType"]) == ("landing", domain, "EXTERNAL")
        assert volume["storageLocation"] == f"{bucket(program, 'raw')}/{domain}"
    assert volumes["admitted"].inputs["volumeType"] == "MANAGED"


def test_the_catalog_does_not_wait_for_kafka(program: Program) -> None:
    found = awaited(program, program.of("Catalog")["catalog"])
    assert program.of("RolePolicy")["storage-rights"].urn in found, "Unity Catalog tries what the role may do"
    assert not [urn for urn in found if "aws:msk" in urn]


def test_the_runner_reaches_checkpoints_and_kafka_alone(program: Program) -> None:
    held = {}
    for grants in program.of("Grants").values():
        kinds = {"externalLocation", "storageCredential", "credential"} & grants.inputs.keys()
        for kind in kinds:
            held[grants.inputs[kind].removeprefix(f"churn-{program.stack}-")] = {
                grant["principal"]: grant["privileges"] for grant in grants.inputs["grants"]
            }
    assert held.keys() == {"storage", "kafka", "catalog", "checkpoints", *(f"landing-{each}" for each in DOMAINS)}
    assert {name for name, holders in held.items() if RUNNER in holders} == {"checkpoints", "kafka"}
    assert held["checkpoints"][RUNNER] == ["READ_FILES", "WRITE_FILES"]
    assert held["kafka"][RUNNER] == ["ACCESS"]
    for holders in held.values():
        (deployer,) = holders.keys() - {RUNNER}
        assert "MANAGE" in holders[deployer]


def on_ground_of(stack: str, *, kafka: bool) -> Program:
    """The local platform on the ground that another stack has made."""
    ground = {"stack": f"example/churn/{stack}", "kafka": kafka}
    return run("local", without_a_stream("local") | {"churn:ground": json.dumps(ground)})


@pytest.mark.parametrize("kafka", [True, False])
def test_kafka_of_another_stack_has_a_credential_where_the_settings_say_so(wheels: object, kafka: bool) -> None:
    program = on_ground_of("ground-dev", kafka=kafka)
    arns = [credential.inputs["awsIamRole"]["roleArn"] for credential in program.of("Credential").values()]
    assert arns == ["arn:aws:iam::123456789012:role/ground-dev-kafka_client"] * kafka
    granted = [grants for grants in program.of("Grants").values() if "credential" in grants.inputs]
    assert len(granted) == len(arns)


def test_another_stack_without_kafka_is_named(wheels: object) -> None:
    with pytest.raises(
        Exception, match=r"churn:ground\.kafka: received true; the ground of example/churn/without-kafka"
    ):
        on_ground_of("without-kafka", kafka=True)


def without_aws(root: str | None) -> dict[str, str]:
    return without_a_stream("local") | {"churn:ground": json.dumps({"storage_root": root})}


def test_without_a_ground_in_aws_deliveries_lie_where_the_catalog_does(wheels: object) -> None:
    program = run("local", without_aws("s3://bucket/churn"))
    assert program.of("ExternalLocation") == program.of("StorageCredential") == program.of("Credential") == {}
    assert program.of("Catalog")["catalog"].inputs["storageRoot"] == "s3://bucket/churn"
    volume = program.of("Volume")["landing-support"].inputs
    assert (volume["volumeType"], "storageLocation" in volume) == ("MANAGED", False)
    rooted = run("local", without_aws(None))
    assert "storageRoot" not in rooted.of("Catalog")["catalog"].inputs


def test_storage_that_no_location_covers_is_found_while_planning(wheels: object) -> None:
    with pytest.raises(Exception, match=r"churn:ground.storage_root: received s3://elsewhere/churn; allowed: below"):
        run("local", without_aws("s3://elsewhere/churn"))


def test_a_metastore_without_a_root_is_found_while_planning(wheels: object, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = mocked._Mocks.answer

    def rootless(self: mocked._Mocks, args: MockCallArgs) -> dict[str, Any]:
        found = answer(self, args)
        return found | {"metastoreInfo": {}} if args.token.endswith(":getCurrentMetastore") else found

    monkeypatch.setattr(mocked._Mocks, "answer", rootless)
    with pytest.raises(Exception, match=r"churn:ground.storage_root: received null; the metastore has no storage root"):
        run("local", without_aws(None))


def test_a_workspace_without_any_location_is_found_while_planning(
    wheels: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider then answers no list, where it could answer an empty one."""
    answer = mocked._Mocks.answer

    def empty(self: mocked._Mocks, args: MockCallArgs) -> dict[str, Any]:
        return {} if args.token.endswith(":getExternalLocations") else answer(self, args)

    monkeypatch.setattr(mocked._Mocks, "answer", empty)
    with pytest.raises(Exception, match=r"received s3://bucket/churn; allowed: .*, of which it sees none"):
        run("local", without_aws("s3://bucket/churn"))


@pytest.mark.parametrize(
    ("root", "covered"), [("s3://b", True), ("s3://b/a", True), ("s3://bc", False), ("s3://c/b", False)]
)
def test_a_location_covers_what_lies_in_it(root: str, covered: bool) -> None:
    if covered:
        assert check_covered(root, ["s3://x", "s3://b/"]) == root
        return
    with pytest.raises(StorageRootError, match="of s3://b/, s3://x; remedy: make one over it"):
        check_covered(root, ["s3://x", "s3://b/"])


def test_no_location_covers_anything() -> None:
    with pytest.raises(StorageRootError, match="which it sees none"):
        check_covered("s3://b", [])
    with pytest.raises(StorageRootError, match=r"let churn:ground\.aws make it"):
        check_metastore_root("")
    check_metastore_root("s3://metastore")
