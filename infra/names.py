"""Names that several modules use."""

from __future__ import annotations

from churn.core import tables

LANDING = "landing"
GOVERNANCE = "governance"
SCHEMAS = {
    LANDING: "Deliveries as they come, a volume for each domain, until ingest has examined them",
    "bronze": "Raw records per domain as they were delivered, with rescued data and origin",
    "silver": "Conformed, typed and deduplicated records, and what was quarantined with its reason",
    "gold": "Features, labels, scores and marts",
    "mlops": "Models and the records of their life: gates, row accounts, drift",
    GOVERNANCE: "Functions that say what a reader sees of a classified value",
}

# Volumes of the schema bronze, to which delivered files go.
VOLUMES = {
    "admitted": "Delivered files that can be read: what the pipeline reads",
    "quarantine": "Delivered files that are set aside whole; bronze.deliveries says why",
}


def masks_scope(prefix: str) -> str:
    """Names the secret scope with the key of the masks' hash."""
    return f"{prefix}-masks"


def erasure_scope(prefix: str) -> str:
    """Names the secret scope with requests to erase customers, and the key of the hash by which these are recorded."""
    return f"{prefix}-erasure"


# Objects of the metastore over a ground in AWS, after the stack's prefix.
STORAGE_CREDENTIAL = "storage"
KAFKA_CREDENTIAL = "kafka"
CATALOG_LOCATION = "catalog"
CHECKPOINTS_LOCATION = "checkpoints"


def landing_location(domain: str) -> str:
    """Names the external location of a domain's deliveries."""
    return f"{LANDING}-{domain}"


# Tables that the dashboard shows, and the ledger of files. The job churn_bootstrap makes all tables that jobs write, so
# that reading them can be granted.
MARTS = tuple(table.name for table in tables.MARTS)

LEDGER = tables.DELIVERIES.name

MODEL = "mlops.churn_model"

# Topics of the stream: what source systems send, and the messages that the pipeline cannot use, with its reasons.
DEAD_LETTERS = ".dlq"
EVENTS_TOPIC = "customer.events"
DEAD_LETTERS_TOPIC = EVENTS_TOPIC + DEAD_LETTERS
