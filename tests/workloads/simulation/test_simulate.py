"""The simulated world: Telco at the snapshot date, the same for the same parameters, and no knowledge of the future."""

from __future__ import annotations

import hashlib
import io
from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.service.files import DirectoryEntry

from churn.core.contract import file_contracts
from churn.core.entry import Run
from churn.data import telco
from churn.ingestion.admission import examine
from churn.ingestion.ingest import Copy, Landed, assess
from churn.simulation.deliveries import HISTORY_DAYS, deliveries, delivery_rows
from churn.simulation.people import TOWNS
from churn.simulation.simulate import TAKEN_IN, content, deliver, files
from churn.simulation.world import LEAVING_DAYS, World, grow
from infra import names

if TYPE_CHECKING:
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

SNAPSHOT = date(2026, 1, 31)
LATER = SNAPSHOT + timedelta(days=3)
SEED = 7
BY_DOMAIN = {contract.domain: contract for contract in file_contracts()}


@pytest.fixture(scope="module")
def world() -> World:
    return grow(SNAPSHOT, LATER, SEED)


@pytest.fixture(scope="module")
def delivered(world: World) -> dict[str, pd.DataFrame]:
    """Everything delivered up to `LATER`, by domain, with the day of delivery."""
    due = deliveries(SNAPSHOT, LATER)
    return {
        domain: pd.concat(
            delivery_rows(domain, world, delivery, initial=delivery == due[0], seed=SEED).assign(
                delivered=delivery.last
            )
            for delivery in due
        )
        for domain in BY_DOMAIN
    }


def test_a_delivery_is_looked_for_in_every_volume_that_is_deployed() -> None:
    assert set(TAKEN_IN) == names.VOLUMES.keys()


def test_deliveries_cover_every_day_once() -> None:
    days = [day for delivery in deliveries(SNAPSHOT, LATER) for day in delivery.days]
    assert days == [SNAPSHOT - timedelta(days=HISTORY_DAYS) + timedelta(days=n) for n in range(HISTORY_DAYS + 4)]


def test_a_later_day_adds_one_delivery_and_changes_none() -> None:
    assert deliveries(SNAPSHOT, LATER)[:-1] == deliveries(SNAPSHOT, LATER - timedelta(days=1))


def test_the_leavers_of_telco_left_in_the_month_before_the_snapshot_date(world: World) -> None:
    known = telco().merge(world.customers[["customer_id", "churn_date"]], on="customer_id")
    left = known["churn_date"] <= pd.Timestamp(SNAPSHOT)
    assert (left == (known["churn"] == "Yes")).all()
    days_before = (pd.Timestamp(SNAPSHOT) - known.loc[left, "churn_date"]).dt.days
    assert days_before.between(0, LEAVING_DAYS - 1).all()


def test_every_customer_of_telco_is_reported_with_telco_s_attributes(delivered: dict[str, pd.DataFrame]) -> None:
    first = delivered["customer"].groupby("customerID").first().reset_index()
    expected = telco().rename(columns={"customer_id": "customerID"})
    both = expected.merge(first, on="customerID")
    assert len(both) == len(expected)
    assert (both["contract"] == both["Contract"]).all()
    assert (both["monthly_charges"] == both["MonthlyCharges"]).all()


def test_the_people_are_nobody(world: World) -> None:
    people = world.customers
    assert people["email"].str.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|net|org)").all()
    assert people["phone"].str.fullmatch(r"\+1 \d{3} 555-01\d{2}").all()
    assert people["postcode"].str.fullmatch(r"\d{5}").all()
    homes = set(zip(people["region"], people["city"], people["postcode"].str[:2], strict=True))
    assert homes == {(region, *town) for region, towns in TOWNS.items() for town in towns}


def test_people_are_as_old_as_telco_says_and_signed_up_as_adults(world: World) -> None:
    people = world.customers
    known = people["signup_date"].where(people["signup_date"] > pd.Timestamp(world.anchor), pd.Timestamp(world.anchor))
    age = (known - people["birth_date"]).dt.days / 365.25
    assert ((age >= 65) == (people["senior_citizen"] == 1)).all()
    assert ((people["signup_date"] - people["birth_date"]).dt.days / 365.25 >= 18).all()
    assert age.max() < 91


def test_a_customer_stays_the_same_person(world: World, delivered: dict[str, pd.DataFrame]) -> None:
    rows = delivered["customer"]
    again = rows[rows.duplicated("customerID", keep=False)]
    assert len(again) > 100
    assert (again.groupby("customerID")[["FullName", "BirthDate", "Postcode", "Plan"]].nunique() == 1).all(axis=None)
    assert (rows["Status"] == np.where(rows["ChurnDate"].isna(), "active", "left")).all()


def test_every_category_is_one_that_its_contract_lists(delivered: dict[str, pd.DataFrame]) -> None:
    for domain, contract in BY_DOMAIN.items():
        for column in contract.columns:
            if column.values:
                assert set(delivered[domain][column.source]) == set(column.values), f"{domain}.{column.name}"


def test_the_world_goes_on_after_the_snapshot_date(world: World) -> None:
    after = pd.Timestamp(SNAPSHOT)
    assert (world.customers["churn_date"] > after).any()
    assert (world.customers["signup_date"] > after).any()


DATED = {
    "customer": "as_of",
    "transactions": "transaction_date",
    "support": "opened_date",
    "marketing": "touch_date",
    "usage": "event_date",
}


def test_rows_are_dated_within_their_delivery(delivered: dict[str, pd.DataFrame]) -> None:
    for domain, contract in BY_DOMAIN.items():
        rows = delivered[domain]
        dated = pd.to_datetime(rows[next(c.source for c in contract.columns if c.name == DATED[domain])])
        assert (dated <= pd.to_datetime(rows["delivered"])).all(), domain
        assert len(rows) > 1000, domain


def test_coming_and_leaving_are_reported_of_their_day(world: World, delivered: dict[str, pd.DataFrame]) -> None:
    rows = delivered["customer"]
    left = rows[rows["ChurnDate"].notna()]
    assert (pd.to_datetime(left["ChurnDate"]) == pd.to_datetime(left["AsOf"])).all()
    assert left["customerID"].is_unique
    assert len(left) == (world.customers["churn_date"] <= pd.Timestamp(LATER)).sum()
    came = rows[rows["ChurnDate"].isna()]
    begin = pd.Timestamp(SNAPSHOT - timedelta(days=HISTORY_DAYS))
    signed_up = pd.to_datetime(came["SignupDate"])
    assert (pd.to_datetime(came["AsOf"]) == signed_up.where(signed_up > begin, begin)).all()
    assert came["customerID"].is_unique


@pytest.mark.parametrize("domain", ["transactions", "support", "marketing", "usage"])
def test_those_who_left_do_nothing_any_more(domain: str, world: World, delivered: dict[str, pd.DataFrame]) -> None:
    day = next(column.source for column in BY_DOMAIN[domain].columns if column.name == DATED[domain])
    rows = delivered[domain].merge(world.customers[["customer_id", "signup_date", "churn_date"]], on="customer_id")
    dated = pd.to_datetime(rows[day])
    assert (rows["churn_date"].isna() | (dated < rows["churn_date"])).all()
    assert (dated >= rows["signup_date"]).all()


def test_behaviour_before_the_month_of_leaving_tells_a_little_of_it(
    world: World, delivered: dict[str, pd.DataFrame]
) -> None:
    anchor = pd.Timestamp(SNAPSHOT) - timedelta(days=LEAVING_DAYS)
    tickets = delivered["support"]
    before = tickets[pd.to_datetime(tickets["opened_date"]) <= anchor].groupby("customer_id").size()
    customers = world.customers[world.customers["signup_date"] <= anchor - timedelta(days=60)]
    count = customers["customer_id"].map(before).fillna(0)
    left = customers["churn_date"] <= pd.Timestamp(SNAPSHOT)
    ratio = count[left].mean() / count[~left].mean()
    assert 1.05 < ratio < 2.0


def test_the_same_parameters_give_the_same_bytes(world: World) -> None:
    due = deliveries(SNAPSHOT, LATER)
    wanted = [(contract, delivery) for contract in BY_DOMAIN.values() for delivery in due[-3:]]
    once = dict(files(world, wanted, due[0], SEED))
    assert once == dict(files(grow(SNAPSHOT, LATER, SEED), wanted, due[0], SEED))
    # a world that was grown further delivers the same past
    assert once == dict(files(grow(SNAPSHOT, LATER + timedelta(days=5), SEED), wanted, due[0], SEED))
    assert once != dict(files(grow(SNAPSHOT, LATER, SEED + 1), wanted, due[0], SEED + 1))


class Volumes:
    """The Files API, over a dictionary."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def upload(self, path: str, contents: io.BytesIO, *, overwrite: bool) -> None:
        assert overwrite or path not in self.contents
        self.contents[path] = contents.read()

    def list_directory_contents(self, folder: str) -> list[DirectoryEntry]:
        below = [path.removeprefix(f"{folder}/") for path in self.contents if path.startswith(f"{folder}/")]
        if not below:
            raise NotFound(folder)
        return [DirectoryEntry(name=name) for name in {path.partition("/")[0] for path in below}]


def test_what_was_taken_in_is_not_delivered_again_though_it_is_alike(tmp_path: Path) -> None:
    """Nobody is billed after the 28th: the bills of these days are the same bytes."""
    snapshot, volumes = date(2026, 1, 29), Volumes()
    client = cast("WorkspaceClient", SimpleNamespace(files=volumes))
    run = Run("c", date(2026, 1, 31), "7")
    assert deliver(run, client, snapshot, SEED) == len(deliveries(snapshot, run.date)) * len(BY_DOMAIN)
    copies = []
    for number, (path, data) in enumerate(volumes.contents.items()):
        (tmp_path / str(number)).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        copies.append(Copy(Landed(0, path, len(data)), tmp_path / str(number), digest, len(data), (None, None)))
    bills = [copy.sha256 for copy in copies if "/transactions/2026-01-" in copy.landed.path]
    assert len(set(bills)) < len(bills)
    volumes.contents = {
        row.stored: kept.read_bytes() for row, kept in assess(copies, {}, BY_DOMAIN, run).taken if row.stored
    }
    assert deliver(run, client, snapshot, SEED) == 0


def test_files_are_admitted_and_have_their_contract_s_types(world: World, tmp_path: Path) -> None:
    due = deliveries(SNAPSHOT, LATER)
    for contract in BY_DOMAIN.values():
        data = content(delivery_rows(contract.domain, world, due[0], initial=True, seed=SEED), contract)
        (tmp_path / contract.domain).write_bytes(data)
        finding = examine(tmp_path / contract.domain, contract)
        assert (finding.fault, finding.remarks) == (None, ())
        assert finding.rows
        if contract.typed:
            assert "date" in str(pq.read_schema(io.BytesIO(data)))


def test_a_new_customer_was_never_billed(delivered: dict[str, pd.DataFrame]) -> None:
    first = delivered["customer"].drop_duplicates("customerID")
    new = first[first["tenure"] == 0]
    assert len(new) > 0
    assert np.isnan(new["TotalCharges"].astype(float)).all()
