"""Tables that the tasks write, each declared once: those of gold by their contracts, the others here.

The pipelines declare bronze and silver, `workloads/pipelines`, from the contracts too. gold.churn_features is declared
with the features.
"""

from __future__ import annotations

from churn.core.contract import gold_contracts
from churn.core.table import Column, Table


def described(name: str) -> Table:
    """The table of gold that a contract describes."""
    contract = next(each for each in gold_contracts() if each.domain == name)
    return Table(
        contract.table,
        contract.description,
        tuple(
            Column(column.name, column.type, column.description, nullable=not column.required)
            for column in contract.columns
        ),
        keys=tuple(contract.keys),
        part=contract.part,
        writer=contract.writer,
    )


ADMITTED, QUARANTINED, DUPLICATE = "admitted", "quarantined", "duplicate"  # what becomes of a delivered file

DELIVERIES = Table(
    "bronze.deliveries",
    "One row for each file taken in, and what became of it; a file that an interrupted run left is recorded again.",
    (
        Column("file", "STRING", "path below the schema landing, as delivered"),
        Column("domain", "STRING", "first folder of the path: the contract that the file must meet"),
        Column("sha256", "STRING", "of the content, in hexadecimal digits"),
        Column("bytes", "BIGINT", "size of the file"),
        Column("rows", "BIGINT", "records in the file; NULL if it cannot be read", nullable=True),
        Column(
            "status", "STRING", "admitted, quarantined or duplicate; withdrawn when its rows were deleted on purpose"
        ),
        Column("reason", "STRING", "why it was not admitted, or what is odd about it; NULL if nothing", nullable=True),
        Column("stored", "STRING", "path at which it is kept; NULL for a duplicate", nullable=True),
        Column("date", "DATE", "logical date of the run that took it in"),
        Column("run_id", "STRING", "job run that took it in"),
    ),
    keys=(),
    part=("run_id",),
    writer="ingest",
)

ERASURES = Table(
    "mlops.erasures",
    "One row for each request to erase a customer, whom only a keyed hash tells.",
    (
        Column("request", "STRING", "name of the request"),
        Column("customer", "STRING", "keyed hash of the customer's id: HMAC with SHA-256, in hexadecimal digits"),
        Column("secret", "STRING", "secret that has the key of the hash, scope/key"),
        Column("requested_by", "STRING", "who asked for it"),
        Column("erased_at", "TIMESTAMP", "moment at which the erasure began"),
        Column("date", "DATE", "logical date of the run that began it"),
        Column("run_id", "STRING", "job run that began it"),
    ),
    keys=("request",),
    part=(),
    writer="erase",
)

ERASED_ROWS = Table(
    "mlops.erased_rows",
    "One row for each place and file from which rows were removed on purpose, or kept out: those of an erased "
    "customer, and those that are older than their contract's retention.",
    (
        Column("cause", "STRING", "keyed hash of the customer, as in mlops.erasures; or retention, and the date"),
        Column("place", "STRING", "schema and table, or schema and volume"),
        Column("origin", "STRING", "file that the rows came in, below its volume; else the request or the run"),
        Column("rows", "BIGINT", "rows; NULL for a file that was removed whole, unread", nullable=True),
        Column("date", "DATE", "logical date of the run that removed them"),
        Column("run_id", "STRING", "job run that removed them"),
    ),
    keys=("cause", "place", "origin"),
    part=(),
    writer="erase",
)

ROW_ACCOUNTING = Table(
    "mlops.row_accounting",
    "One row for each table of silver and each run that took in files for it: rows in = rows out + quarantined + "
    "superseded + erased.",
    (
        Column("run_id", "STRING", "job run that took in the files"),
        Column("date", "DATE", "logical date of that run"),
        Column("table", "STRING", "name of the table in silver"),
        Column("files", "BIGINT", "files admitted"),
        Column("files_quarantined", "BIGINT", "files quarantined whole"),
        Column("files_duplicate", "BIGINT", "files removed as duplicates"),
        Column("rows_in", "BIGINT", "records that ingest counted in the admitted files"),
        Column("rows_out", "BIGINT", "of these, rows in the silver table"),
        Column("quarantined", "BIGINT", "of these, rows in the quarantine table"),
        Column("superseded", "BIGINT", "of these, rows that a later row with their key superseded, whenever it came"),
        Column("erased", "BIGINT", "of these, rows that were removed on purpose, or kept out: see mlops.erased_rows"),
        Column("released", "BIGINT", "of the quarantined, rows that were delivered again, repaired"),
        Column("rescued", "BIGINT", "of these, rows that hold something for which the schema has no column"),
        Column(
            "conformed", "BIGINT", "of these, rows with a value that was spelled otherwise than the contract lists it"
        ),
    ),
    keys=("run_id", "table"),
    part=(),
    writer="reconcile",
)

STREAM_ACCOUNTING = Table(
    "mlops.stream_accounting",
    "One row for each run and partition of the topic: produced = missing + accepted + quarantined + duplicates + "
    "erased + lost.",
    (
        Column("run_id", "STRING", "job run that accounted"),
        Column("date", "DATE", "logical date of that run"),
        Column("read_until", "TIMESTAMP", "moment up to which messages were read that are accounted for"),
        Column("partition", "INT", "partition of the topic"),
        Column("first_offset", "BIGINT", "first message, the next after the account before"),
        Column("last_offset", "BIGINT", "last message"),
        Column("produced", "BIGINT", "messages that the offsets say there were"),
        Column("missing", "BIGINT", "of these, messages that bronze does not have"),
        Column("accepted", "BIGINT", "of these, messages in silver"),
        Column("quarantined", "BIGINT", "of these, messages in quarantine"),
        Column("duplicates", "BIGINT", "of these, messages whose event silver has by another message or a file"),
        Column("erased", "BIGINT", "of these, messages of erased customers, of which bronze keeps the place alone"),
        Column("lost", "BIGINT", "of these, messages that are in bronze and nowhere else"),
        Column("twice", "BIGINT", "rows too many of these messages, in bronze, silver or quarantine"),
        Column("unknown_customers", "BIGINT", "of the accepted, events of customers whom no file has reported yet"),
    ),
    keys=("run_id", "partition"),
    part=("run_id",),
    writer="streams",
)

QUALITY_RESULTS = Table(
    "mlops.quality_results",
    "One row for each check of a table that the task put to a day.",
    (
        Column("run_id", "STRING", "job run that checked"),
        Column("date", "DATE", "logical date of that run, the day that was judged"),
        Column("table", "STRING", "name of the table in silver"),
        Column("check_name", "STRING", "keys, references, order, gaps, freshness or volume"),
        Column("severity", "STRING", "what a broken check does to the day, by the contract: warn or fail"),
        Column("outcome", "STRING", "passed, warned, failed, or unjudged where there is no history to compare with"),
        Column("reason", "STRING", "what was expected, what came and what to do, for people"),
        Column("rows", "BIGINT", "rows that break the check; of gaps and freshness days, of volume rows that came"),
        Column("least", "DOUBLE", "of volume, the fewest rows that are usual; else NULL", nullable=True),
    ),
    keys=("run_id", "table", "check_name"),
    part=("run_id",),
    writer="quality",
)

QUALITY_SAMPLES = Table(
    "silver.quality_samples",
    "Some keys of rows that broke a check across tables in the last run.",
    (
        Column("run_id", "STRING", "job run that checked"),
        Column("table", "STRING", "name of the table in silver"),
        Column("check_name", "STRING", "the check"),
        Column("key", "STRING", "key of a row that breaks it; several columns with a comma between them"),
    ),
    keys=("table", "check_name", "key"),
    part=(),
    writer="quality",
)

GATE_RESULTS = Table(
    "mlops.gate_results",
    "One row for each check that the gate put to a challenger.",
    (
        Column("run_id", "STRING", "job run that decided"),
        Column("date", "DATE", "logical date"),
        Column("model", "STRING", "registered model"),
        Column("challenger_version", "INT", "version that was judged"),
        Column("champion_version", "INT", "version it was compared with; NULL if there was none", nullable=True),
        Column("decision", "STRING", "of all checks: passed, failed or error"),
        Column("check_name", "STRING", "name of the check"),
        Column("outcome", "STRING", "passed, failed, or error when it could not be tested"),
        Column("reason", "STRING", "one sentence for people"),
        Column("metric", "STRING", "what was measured; empty when nothing was"),
        Column("value", "DOUBLE", "measurement; NULL when nothing was measured", nullable=True),
        Column("threshold", "DOUBLE", "what it was compared with; NULL when nothing was measured", nullable=True),
        Column("diagnostics", "STRING", "further figures, a JSON object"),
    ),
    keys=("run_id", "check_name"),
    part=("run_id",),
    writer="gate",
)

STREAM_FRESHNESS = Table(
    "mlops.stream_freshness",
    "One row for each batch of events that reached the online store, and each hop on the way: how long it took.",
    (
        Column("written_at", "TIMESTAMP", "moment at which the online store had the batch"),
        Column(
            "hop",
            "STRING",
            "event_broker, broker_bronze, bronze_silver, silver_online, event_online; taken_over for a whole table",
        ),
        Column("version", "BIGINT", "version of silver.events that the batch ends with"),
        Column("rows", "BIGINT", "events of the stream in the batch"),
        Column("p50", "DOUBLE", "median, in seconds"),
        Column("p95", "DOUBLE", "95th percentile, in seconds"),
        Column("p99", "DOUBLE", "99th percentile, in seconds"),
    ),
    keys=("written_at", "hop"),
    part=(),
    writer="activity",
)

LABELS = described("churn_labels")
SCORES = described("churn_scores_daily")
LIVE_SCORES = described("churn_scores_live")
OVERVIEW = described("marts_churn_overview")
SEGMENTS = described("marts_churn_segments")
SCORE_DISTRIBUTION = described("marts_churn_score_distribution")
GATE_CHECKS = described("marts_churn_gate")

MARTS = (OVERVIEW, SEGMENTS, SCORE_DISTRIBUTION, GATE_CHECKS)
TABLES = (
    *(DELIVERIES, ROW_ACCOUNTING, STREAM_ACCOUNTING, STREAM_FRESHNESS, QUALITY_RESULTS, QUALITY_SAMPLES),
    *(ERASURES, ERASED_ROWS),
    *(LABELS, GATE_RESULTS, SCORES, LIVE_SCORES),
    *MARTS,
)
