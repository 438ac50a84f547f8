"""Tables that the tasks write, each declared once; gold.churn_features is declared with the features.

The pipelines declare bronze and silver: `workloads/pipelines`, from the contracts.
"""

from __future__ import annotations

from churn.core.table import Column, Table

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

ROW_ACCOUNTING = Table(
    "mlops.row_accounting",
    "One row for each table of silver and each run that took in files for it: rows in = rows out + quarantined + "
    "superseded.",
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
    "One row for each run and partition of the topic: produced = missing + accepted + quarantined + duplicates + lost.",
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
        Column("lost", "BIGINT", "of these, messages that are in bronze and nowhere else"),
        Column("twice", "BIGINT", "rows too many of these messages, in bronze, silver or quarantine"),
        Column("unknown_customers", "BIGINT", "of the accepted, events of customers whom no file has reported yet"),
    ),
    keys=("run_id", "partition"),
    part=("run_id",),
    writer="streams",
)

LABELS = Table(
    "gold.churn_labels",
    "One row for each customer who was active on an observation date and whose label is complete.",
    (
        Column("customer_id", "STRING", "customer"),
        Column("observation_date", "DATE", "day on which the customer was active"),
        Column("lead_days", "INT", "days between the observation date and the label window"),
        Column("horizon_days", "INT", "length of the label window in days"),
        Column("churned", "INT", "1 if the customer left within the window, else 0"),
    ),
    keys=("customer_id", "observation_date", "lead_days", "horizon_days"),
    part=("observation_date", "lead_days", "horizon_days"),
    writer="features",
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

SCORES = Table(
    "gold.churn_scores_daily",
    "One row for each active customer and day.",
    (
        Column("customer_id", "STRING", "customer"),
        Column("date", "DATE", "day of the score, which uses what is dated up to it"),
        Column("score", "DOUBLE", "calibrated probability of leaving within the horizon"),
        Column("band", "STRING", "high, medium or low; unrated from a bootstrap model"),
        Column("model_version", "INT", "version of the registered model"),
        Column("run_id", "STRING", "job run that scored"),
        Column(
            "missing_features",
            "STRING",
            "features of the version that are no longer built, so that it read NULL; NULL if none",
            nullable=True,
        ),
    ),
    keys=("customer_id", "date"),
    part=("date",),
    writer="score",
)

LIVE_SCORES = Table(
    "gold.churn_scores_live",
    "One row for each signal of rising risk in a session that ran: the customer's score at that moment.",
    (
        Column("customer_id", "STRING", "customer"),
        Column("session_id", "STRING", "session in which the signal was seen"),
        Column("signal", "STRING", "name of the signal, as churn.online.signals declares it"),
        Column("event_time", "TIMESTAMP", "latest event of the signal"),
        Column("scored_at", "TIMESTAMP", "moment of the score"),
        Column("score", "DOUBLE", "calibrated probability of leaving within the horizon"),
        Column(
            "previous_score",
            "DOUBLE",
            "score of the customer before, of a session or of a day; NULL if none",
            nullable=True,
        ),
        Column("band", "STRING", "high, medium or low; unrated from a bootstrap model"),
        Column("reason", "STRING", "why the signal raises the risk, a sentence for people"),
        Column("model_version", "INT", "version of the registered model"),
        Column("run_id", "STRING", "job run that scored"),
    ),
    keys=("customer_id", "session_id", "signal"),
    part=(),
    writer="activity",
)

STREAM_FRESHNESS = Table(
    "mlops.stream_freshness",
    "One row for each batch of events that reached the online store, and each hop on the way: how long it took.",
    (
        Column("written_at", "TIMESTAMP", "moment at which the online store had the batch"),
        Column("hop", "STRING", "event_broker, broker_bronze, bronze_silver, silver_online or event_online"),
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

OVERVIEW = Table(
    "gold.marts_churn_overview",
    "One row a day: how many customers are at risk, what they pay, and which model says so.",
    (
        Column("date", "DATE", "day of the scores"),
        Column("active_customers", "BIGINT", "customers scored"),
        Column("at_risk_customers", "BIGINT", "in the band high"),
        Column("expected_leavers", "DOUBLE", "sum of the scores, in customers"),
        Column("mean_score", "DOUBLE", "mean probability of leaving"),
        Column("monthly_charges", "DOUBLE", "of all active customers, in dollars"),
        Column("monthly_charges_at_risk", "DOUBLE", "of those in the band high, in dollars"),
        Column("model_version", "INT", "version that scored"),
        Column("gate_date", "DATE", "when the gate last decided; NULL before that", nullable=True),
        Column("gate_decision", "STRING", "passed, failed or error", nullable=True),
        Column("gate_challenger_version", "INT", "version it decided on", nullable=True),
        Column(
            "missing_days",
            "BIGINT",
            "days without scores between the first scored day and this one, when it was refreshed",
            nullable=True,
        ),
    ),
    keys=("date",),
    part=("date",),
    writer="marts",
)

SEGMENTS = Table(
    "gold.marts_churn_segments",
    "One row for each day, dimension and segment of the customers.",
    (
        Column("date", "DATE", "day of the scores"),
        Column("dimension", "STRING", "contract, tenure or internet_service"),
        Column("segment", "STRING", "value of the dimension"),
        Column("customers", "BIGINT", "customers scored"),
        Column("at_risk_customers", "BIGINT", "in the band high"),
        Column("mean_score", "DOUBLE", "mean probability of leaving"),
        Column("monthly_charges_at_risk", "DOUBLE", "of those in the band high, in dollars"),
    ),
    keys=("date", "dimension", "segment"),
    part=("date",),
    writer="marts",
)

SCORE_DISTRIBUTION = Table(
    "gold.marts_churn_score_distribution",
    "One row for each day and tenth of the scores.",
    (
        Column("date", "DATE", "day of the scores"),
        Column("score_from", "DOUBLE", "lower bound of a tenth, included"),
        Column("customers", "BIGINT", "customers whose score lies in the tenth"),
    ),
    keys=("date", "score_from"),
    part=("date",),
    writer="marts",
)

GATE_CHECKS = Table(
    "gold.marts_churn_gate",
    "One row for each day and check of the gate's last decision by then.",
    (
        Column("date", "DATE", "day of the marts"),
        Column("gate_date", "DATE", "when the gate last decided"),
        Column("decision", "STRING", "of all checks: passed, failed or error"),
        Column("challenger_version", "INT", "version it decided on"),
        Column("check_name", "STRING", "name of the check"),
        Column("outcome", "STRING", "passed, failed, or error when it could not be tested"),
        Column("reason", "STRING", "one sentence for people"),
    ),
    keys=("date", "check_name"),
    part=("date",),
    writer="marts",
)

MARTS = (OVERVIEW, SEGMENTS, SCORE_DISTRIBUTION, GATE_CHECKS)
TABLES = (
    *(DELIVERIES, ROW_ACCOUNTING, STREAM_ACCOUNTING, STREAM_FRESHNESS),
    *(LABELS, GATE_RESULTS, SCORES, LIVE_SCORES),
    *MARTS,
)
