"""A customer in every place of a platform, and the search for what is left of one."""

from __future__ import annotations

import gzip
import io
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.core.tables import LABELS, LIVE_SCORES, SCORES
from churn.data import telco_raw
from churn.erasure import erase
from churn.feature_engineering.groups import FEATURES
from churn.streaming import events
from local.spark.server import warehouse
from tests.workloads.silver_rows import REPORTED
from tests.workloads.streaming.stream_rows import EVENTS, bronze, conformed, value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.workloads.way_to_silver import WayToSilver

SCOPE = "erasure"
GONE, OTHER, ALIKE = "7590-VHVEG", "5575-GNVDE", "7590-VHVEG2"
GOLD = (FEATURES, LABELS, SCORES, LIVE_SCORES)
VALUES = {
    "STRING": "x",
    "INT": 1,
    "BIGINT": 1,
    "DOUBLE": 1.0,
    "DATE": date(2026, 2, 1),
    "TIMESTAMP": datetime(2026, 2, 1, tzinfo=UTC),
}


def customers(*ids: str, **values: str) -> pd.DataFrame:
    """Customers as delivered."""
    rows = telco_raw().head(len(ids)).assign(**REPORTED, AsOf="2026-01-01")
    return rows.assign(customerID=list(ids), **values)[contract_of("customer").sources]


def text(frame: pd.DataFrame, separator: str = ",") -> str:
    return frame.to_csv(index=False, sep=separator, lineterminator="\n")


def table(*rows: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), buffer)
    return buffer.getvalue()


def ticket(key: str, customer: str) -> dict[str, Any]:
    values = (key, customer, "2026-01-01", "billing", "low", "3.5")
    return dict(zip(contract_of("support").sources, values, strict=True))


def rows(domain: str, **values: Any) -> bytes:
    """A Parquet file with a row of each of two customers."""
    keys = contract_of(domain).keys
    return table(*({keys[0]: f"{domain} {who}", "customer_id": who, **values} for who in (GONE, OTHER)))


MENTION = {"category": "the same as unknown", "opened_date": "never"}  # a customer, in the quarantined row of another
CUT = text(customers(GONE, OTHER)).splitlines()
FILES = {
    "customer/2026-01-01/all.csv": text(customers(GONE, OTHER, ALIKE)).encode("utf-16"),
    "customer/2026-01-02/again.csv.gz": gzip.compress(text(customers(GONE, OTHER, AsOf="2026-01-02")).encode()),
    "customer/2026-01-02/bad.csv": text(customers(GONE, "o2", Contract="nonsense")).encode(),
    "customer/2026-01-02/tab.csv": text(customers(f"{GONE}\t", AsOf="2026-01-02")).encode(),
    "customer/2026-01-02/cut.csv": "\n".join([CUT[0], *(line[:40] for line in CUT[1:]), ""]).encode(),
    "customer/2026-01-03/aside.csv": text(customers(GONE, OTHER).drop(columns="Contract")).encode(),
    "customer/2026-01-03/aside_too.csv": text(customers(ALIKE), ";").encode(),
    "customer/2026-03-01/waits.csv": text(customers(GONE, ALIKE)).encode("utf-16"),
    "customer/2026-03-01/waits_too.csv": text(customers(ALIKE)).encode(),
    "support/2026-01-01/text.csv": text(pd.DataFrame([ticket("s-1", GONE), ticket("s-2", OTHER)])).encode(),
    "support/2026-01-01/mention.csv": text(pd.DataFrame([ticket("s-10", ALIKE) | MENTION])).encode(),
    "support/2026-01-01/array.json": json.dumps([ticket("s-3", GONE), ticket("s-4", OTHER)]).encode(),
    "support/2026-01-01/lines.jsonl": f'{json.dumps(ticket("s-5", OTHER))}\n{{"of": "{GONE}"\n{{\n'.encode(),
    "support/2026-01-01/table.parquet": table(
        *({**ticket(who, who), "opened_date": date(2026, 1, 1), "resolution_hours": 4.0} for who in (GONE, OTHER))
    ),
    "transactions/2026-01-01/bills.parquet": rows(
        "transactions", transaction_date=date(2026, 1, 1), amount=20.5, status="paid"
    ),
    "usage/2026-01-01/uses.parquet": rows("usage", event_date=date(2026, 1, 1), event_type="call", minutes=2.5),
    "marketing/2026-01-01/touches.csv": (
        "touch_id,customer_id,touch_date,campaign,channel,responded\n"
        f"m-1,{GONE},2026-01-01,spring,email,true\nm-2,{OTHER},2026-01-01,spring,email,false\n"
    ).encode(),
}
# Rows that reach bronze, by customer and domain.
DELIVERED = {
    GONE: {"customer": 5, "support": 4, "transactions": 1, "usage": 1, "marketing": 1},
    OTHER: {"customer": 3, "support": 4, "transactions": 1, "usage": 1, "marketing": 1},
}
MESSAGES = (
    (GONE, value(event_id="1", customer_id=GONE)),
    (OTHER, value(event_id="2", customer_id=OTHER)),
    (GONE, value(event_id="3", customer_id=GONE, kind="logout")),
    (OTHER, f"{{{GONE}".encode()),
    (OTHER, value(event_id="4", customer_id=OTHER, kind="logout")),
)


def put_gold(way: WayToSilver) -> None:
    """A row of two customers in each table of gold."""
    for each in GOLD:
        filled = [tuple(_value(column.name, column.type, who) for column in each.columns) for who in (GONE, OTHER)]
        frame = way.spark.createDataFrame(filled, each.schema)
        frame.write.mode("append").saveAsTable(each.create(way.spark, way.catalog))


def _value(name: str, kind: str, customer: str) -> Any:
    return customer if name == "customer_id" else VALUES[kind]


def put_events(way: WayToSilver) -> None:
    """Messages of two customers in the tables of the stream, as its pipeline makes them."""
    for offset, (key, message) in enumerate(MESSAGES):
        place = {"first": offset, "key": key.encode()}
        kept = conformed(way.spark, message, **place)
        accepted = events.accepted(kept, EVENTS).withColumn("_accepted_at", sf.current_timestamp())
        quarantined = events.quarantined(kept, EVENTS)
        named = {"bronze": bronze(way.spark, message, **place), "silver": accepted, "silver.quarantine": quarantined}
        for schema, frame in named.items():
            name = f"{schema}.events" if "." not in schema else f"{schema}_events"
            frame.write.mode("append").saveAsTable(f"{way.catalog}.{name}")


def ask(way: WayToSilver, customer: str) -> str:
    """Asks for the erasure of a customer; returns the name of the request."""
    name = f"request-{customer}"
    asked = {"customer": customer, "requested_by": "clerk@churn.local"}
    way.client.secrets.put_secret(SCOPE, name, string_value=json.dumps(asked))
    return name


def run_erase(way: WayToSilver, run_id: str) -> None:
    common = [f"--catalog={way.catalog}", "--date=2026-02-28", f"--run_id={run_id}"]
    erase.main([*common, f"--scope={SCOPE}", "--endpoint=", "--database=", "--sslmode="])


def tables(way: WayToSilver) -> list[str]:
    """All tables of the catalog, as schema and table."""
    return [
        f"{schema}.{row.tableName}"
        for schema in ("bronze", "silver", "gold", "mlops")
        for row in way.rows(f"SHOW TABLES IN {{}}.{schema}")
        if way.spark.catalog.tableExists(f"{way.catalog}.{schema}.{row.tableName}")  # which no temporary view does
    ]


def contents(way: WayToSilver) -> dict[str, bytes]:
    """Files of the volumes, by schema, volume and path."""
    return {
        f"{volume.parent.name}.{volume.name}/{file.relative_to(volume.resolve())}": file.read_bytes()
        for volume in (way.home.volumes / way.catalog).glob("*/*")
        for file in volume.resolve().rglob("*")
        if file.is_file()
    }


def single_customers(way: WayToSilver) -> list[str]:
    """Those that have rows of single customers."""
    return [each for each in tables(way) if not each.startswith("mlops.")]


def end_history(way: WayToSilver) -> None:
    """Removes what Delta keeps of earlier versions, as VACUUM does once it is old enough."""
    way.spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    way.spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", "1")  # of lists of files
    for each in single_customers(way):
        way.rows(f"VACUUM {{}}.{each} RETAIN 0 HOURS")


def named_in(way: WayToSilver, customer: str) -> list[str]:
    """Files of tables, logs of tables among them, and of volumes that name a customer."""
    word = re.compile(rf"(?<![A-Za-z0-9_-]){customer}(?![A-Za-z0-9_-])")
    files = [file for file in sorted((warehouse(way.home) / way.catalog).rglob("*")) if file.is_file()]
    assert {"_delta_log", "volumes"} <= {part for file in files for part in file.parts}
    return [str(file) for file in files if any(word.search(piece) for piece in _texts(file))]


def _texts(file: Path) -> Iterator[str]:
    data = file.read_bytes()
    if data.startswith(b"PAR1"):
        for row in pq.read_table(file).to_pylist():
            yield str(row)
        return
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    yield (
        data.decode("utf-16", errors="replace")
        if data[:2] in (b"\xff\xfe", b"\xfe\xff")
        else data.decode(errors="replace")
    )


def of_others(way: WayToSilver, customer: str) -> dict[str, list[str]]:
    """Rows of the tables with single customers that do not name one, by table."""
    word = re.compile(rf"(?<![A-Za-z0-9_-]){customer}(?![A-Za-z0-9_-])")
    found = {}
    for each in single_customers(way):
        if each != "bronze.deliveries":  # which says what became of files
            texts = [str(row) for row in way.rows(f"SELECT * FROM {{}}.{each}")]
            found[each] = sorted(line for line in texts if not word.search(line) and "key='erased'" not in line)
    return found


def rows_of(way: WayToSilver, customer: str) -> list[str]:
    """Rows of the tables that name a customer."""
    word = re.compile(rf"(?<![A-Za-z0-9_-]){customer}(?![A-Za-z0-9_-])")
    texts = (str(row) for each in tables(way) for row in way.rows(f"SELECT * FROM {{}}.{each}"))
    return [line for line in texts if word.search(line)]
