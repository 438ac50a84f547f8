"""Tasks of the wheel: the one table of its entry points, their descriptions and their options.

The job's tasks, their descriptions and their parameters follow from `TASKS`; `churn.core.entry.parse(task, argv)` reads
the command line of each. Importing this module imports neither Spark nor pandas nor MLflow, so that a deployment can
read it while it plans.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from churn.core.label_window import LabelWindow
from churn.core.task import NoOptions, Task, option

USAGE, EVENTS = "silver.usage", "silver.events"  # tables of uses: those of files, and those of files and the stream


def usage_table(text: str) -> str:
    """The name of a table of uses.

    Raises:
        argparse.ArgumentTypeError: It is another name.
    """
    if text not in (USAGE, EVENTS):
        raise argparse.ArgumentTypeError(f"{text} is neither {USAGE} nor {EVENTS}")
    return text


MODEL = option("registered model, such as churn_dev.mlops.churn_model")
EXPERIMENT = option("id of the MLflow experiment in which models are tracked")


@dataclass(frozen=True)
class SimulateOptions:
    """Options of `simulate`."""

    snapshot_date: date = field(metadata=option("day on which Telco was taken, YYYY-MM-DD", date.fromisoformat))
    seed: int = field(metadata=option("seed of every draw", int))


@dataclass(frozen=True)
class StreamsOptions:
    """Options of `streams`."""

    bootstrap_servers: str = field(metadata=option("addresses of the brokers, host:port,…"))
    service_credential: str = field(metadata=option("service credential of the brokers; empty if they ask for none"))
    topic: str = field(metadata=option("topic of the events"))
    wait_minutes: int = field(metadata=option("minutes to wait for the run's files in silver.events", int))
    maximum_lag_minutes: int = field(
        metadata=option("minutes for which a message may wait to be read, or an event for the online store", int)
    )


USAGE_TABLE = option("table of uses, silver.usage or silver.events", usage_table)


@dataclass(frozen=True)
class QualityOptions:
    """Options of `quality`."""

    usage_table: str = field(metadata=USAGE_TABLE)


@dataclass(frozen=True)
class FeaturesOptions:
    """Options of `features`."""

    usage_table: str = field(metadata=USAGE_TABLE)
    window: LabelWindow


@dataclass(frozen=True)
class TrainOptions:
    """Options of `train`."""

    model: str = field(metadata=MODEL)
    experiment_id: str = field(metadata=EXPERIMENT)
    window: LabelWindow
    retrain_days: int = field(metadata=option("age in days at which a champion is replaced", int))
    history_days: int = field(metadata=option("days of observations to learn from", int))


@dataclass(frozen=True)
class ModelOptions:
    """Options of `gate` and `score`, which read a registered model."""

    model: str = field(metadata=MODEL)


@dataclass(frozen=True)
class BootstrapOptions:
    """Options of `bootstrap`."""

    model: str = field(metadata=MODEL)
    experiment_id: str = field(metadata=EXPERIMENT)


@dataclass(frozen=True)
class EraseOptions:
    """Options of `erase`."""

    scope: str = field(metadata=option("secret scope that has the requests, and the key of the hash"))
    endpoint: str = field(metadata=option("Lakebase endpoint of the online store; empty if the stack has none"))
    database: str = field(metadata=option("name of the database in PostgreSQL"))
    sslmode: str = field(metadata=option("how PostgreSQL is reached, in the words of libpq"))


@dataclass(frozen=True)
class ActivityOptions:
    """Options of `activity`."""

    model: str = field(metadata=MODEL)
    endpoint: str = field(metadata=option("Lakebase endpoint, projects/<id>/branches/<id>/endpoints/<id>"))
    database: str = field(metadata=option("name of the database in PostgreSQL"))
    sslmode: str = field(metadata=option("how PostgreSQL is reached, in the words of libpq; require in the cloud"))
    trigger_seconds: int = field(metadata=option("seconds between two looks for new events", int))
    features_days: int = field(metadata=option("days for which a customer's last features and score count", int))
    until_caught_up: bool = field(
        metadata=option("1 to end when nothing new is left, 0 to go on", lambda text: bool(int(text)))
    )


SIMULATE = Task(
    "simulate",
    "churn.simulation.simulate:main",
    "Delivers the files of the simulated world that are due by the date and not there yet. Fails when they cannot be "
    "uploaded.",
    SimulateOptions,
)
INGEST = Task(
    "ingest",
    "churn.ingestion.ingest:main",
    "Examines every delivered file, admits or quarantines it, and records it in bronze.deliveries. Fails when files "
    "cannot be read or moved; a bad file is quarantined and fails nothing.",
    NoOptions,
)
RECONCILE = Task(
    "reconcile",
    "churn.transforms.reconcile:main",
    "Proves that every admitted row is in silver, in quarantine or superseded, and records the counts in "
    "mlops.row_accounting. Fails when rows are lost, or when files reached bronze without ingest.",
    NoOptions,
)
STREAMS = Task(
    "streams",
    "churn.streaming.streams:main",
    "Waits until silver.events has the run's uses, asks the brokers how old the stream is, and accounts for every "
    "message in mlops.stream_accounting. Fails when the stream is down or behind, and when messages are lost or twice.",
    StreamsOptions,
)
QUALITY = Task(
    "quality",
    "churn.quality.quality:main",
    "Checks what no single row shows: keys that are there twice, rows of unknown customers, events out of order, and "
    "feeds that are late, short or have gaps; records it in mlops.quality_results. Fails when a check is broken whose "
    "contract says so.",
    QualityOptions,
)
FEATURES = Task(
    "features",
    "churn.feature_engineering.features:main",
    "Builds gold.churn_features of the date, and gold.churn_labels of the latest date whose label is complete. Fails "
    "when no customer is active on the date.",
    FeaturesOptions,
)
TRAIN = Task(
    "train",
    "churn.training.train:main",
    "Fits every kind of model on the labelled customers and registers the best as challenger, if the champion is due "
    "for a successor and there is something new to learn. Fails when the customers lack leavers or stayers.",
    TrainOptions,
)
GATE = Task(
    "gate",
    "churn.validation.gate:main",
    "Judges the date's challenger and makes it champion if it passes every check; records the checks in "
    "mlops.gate_results. Fails when a check cannot be tested, or when only the bootstrap model is left.",
    ModelOptions,
)
SCORE = Task(
    "score",
    "churn.inference.score:main",
    "Scores every active customer with the champion into gold.churn_scores_daily. Fails when there is no champion, or "
    "when features or scores are not one row for each active customer.",
    ModelOptions,
)
ACTIVITY = Task(
    "activity",
    "churn.online.activity:main",
    "Keeps the activity of each customer in the online store up to date with silver.events, and scores customers anew "
    "whose running session shows rising risk, until it is stopped; waits while the store is away. Fails when "
    "silver.events, its change feed or the endpoint is missing.",
    ActivityOptions,
)
ERASE = Task(
    "erase",
    "churn.erasure.erase:main",
    "Removes every customer whose erasure was asked for from files, tables, events and the online store, and records "
    "it in mlops.erasures by keyed hash. Fails when the key is missing, or when the online store is away.",
    EraseOptions,
)
RETAIN = Task(
    "retain",
    "churn.erasure.retain:main",
    "Deletes what is older than its contract's retention, counts it in mlops.erased_rows, and ends the history of the "
    "tables that tasks write. Fails when a table cannot be changed.",
    NoOptions,
)
MARTS = Task(
    "marts",
    "churn.reporting.marts:main",
    "Refreshes the marts of the dashboard from the date's scores, its features and the gate's decisions, and names the "
    "days that were missed. Fails when the date has no scores.",
    NoOptions,
)
BOOTSTRAP = Task(
    "bootstrap",
    "churn.training.bootstrap:main",
    "Registers a base-rate model as first version and champion, unless the model has versions already. Fails when "
    "MLflow cannot be reached.",
    BootstrapOptions,
)
TABLES = Task(
    "tables",
    "churn.reporting.tables:main",
    "Makes the tables and columns of jobs that are missing, still empty, so that they can be tagged and granted. Fails "
    "when the catalog or one of its schemas is missing.",
    NoOptions,
)

TASKS: dict[str, Task[Any]] = {
    task.name: task
    for task in (
        *(SIMULATE, INGEST, RECONCILE, STREAMS, QUALITY, FEATURES, TRAIN, GATE, SCORE, MARTS),
        *(ACTIVITY, BOOTSTRAP, TABLES, ERASE, RETAIN),
    )
}
