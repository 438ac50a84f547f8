"""Stand-ins: the parts of the local cloud that answer for a real product, and how each differs from it.

`docs/parity.md` shows them beside the capabilities that tests have shown, and beside what is refused.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StandIn:
    """A part that stands in.

    Attributes:
        area: The area of capabilities that it belongs to, as `docs/parity.md` has them.
        part: The part, in the words of the field.
        differs: How it differs from the real one.
    """

    area: str
    part: str
    differs: str


STAND_INS = (
    StandIn(
        "engine",
        "Python language host of Pulumi, where the engine is built from its modules",
        "ours, over the SDK's own stubs; a released engine brings its own",
    ),
    StandIn(
        "api",
        "authentication",
        "one token for each principal, which the workspace makes and which never expires; OAuth by the secret of a "
        "service principal alone, whose tokens last an hour",
    ),
    StandIn(
        "api",
        "rights of a caller",
        "any caller may call nearly everything; only assignments, rule sets, OAuth secrets, `run_as`, secret scopes, "
        "SQL statements, files of volumes and changes in Unity Catalog ask who calls",
    ),
    StandIn(
        "api",
        "delays",
        "what was made can be used at once; a workspace may not find it for seconds. New principals are seen late "
        "where `PLATFORM_PRINCIPAL_DELAY` says so",
    ),
    StandIn(
        "api",
        "faults",
        "none, unless `faults.json` asks for them: an equal share of all requests that have a token, drawn by a seed",
    ),
    StandIn(
        "identity",
        "directory",
        "the workspace's own, which is the account's too; a service principal that it lets go stays in the account, "
        "without its groups",
    ),
    StandIn(
        "identity",
        "permissions on objects",
        "checked, kept and answered, and not enforced: a run, a query or a change needs none of them",
    ),
    StandIn("secrets", "encryption", "values lie in the workspace's database, which only its owner can read"),
    StandIn(
        "unity catalog",
        "privileges on data",
        "enforced on SQL statements, dashboards, alerts and the Files API, with masks, row filters and policies by "
        "tags; not on tasks and pipelines, whose programs read and write every table. A statement that cannot be "
        "judged is refused",
    ),
    StandIn(
        "unity catalog",
        "privileges on objects",
        "enforced where objects are made, changed, granted on, given to another owner or deleted, and where a model is "
        "served; any caller may know of each one but tables, and read a model with its files. A table that a task has "
        "made is its schema's owner's, as Spark keeps none",
    ),
    StandIn(
        "unity catalog",
        "storage",
        "`s3://<bucket>/<path>` is the folder `s3/<bucket>/<path>` of the home folder; a bare path of S3 cannot be "
        "read, and roles are not checked",
    ),
    StandIn(
        "unity catalog",
        "isolation, bindings, predictive optimization, properties",
        "kept and answered; one workspace has all catalogs, and nothing is optimized",
    ),
    StandIn(
        "unity catalog",
        "functions, views",
        "kept by the workspace, and put inside of the queries that use them: programs in Spark do not see them. A "
        "function is one expression of SQL without a query",
    ),
    StandIn("unity catalog", "deletion", "what is dropped is gone at once; there is no UNDROP"),
    StandIn("files", "upload in parts, presigned URLs", "files go whole through the Files API"),
    StandIn(
        "account",
        "the account",
        "kept at the workspace's own address, with Databricks' refusals. A workspace that is made is that same server, "
        "with the same catalogs. Network policies are not enforced, budgets do not count, AWS is not looked at",
    ),
    StandIn(
        "compute",
        "clusters",
        "each is a name for the one Spark server: workers, node types, Spark settings, access mode and "
        "auto-termination are kept and change nothing",
    ),
    StandIn(
        "compute",
        "cluster policies",
        "enforced on clusters and job clusters, when they are written and when a job runs; a changed policy leaves the "
        "clusters that it had",
    ),
    StandIn(
        "compute",
        "SQL warehouses",
        "each is a name for the one Spark server: size, scaling, Photon and channel change nothing, and none stops by "
        "itself",
    ),
    StandIn(
        "spark",
        "Databricks Runtime",
        "Spark 4.2 with Delta 4.4, both real; catalogs by a plugin of Spark; functions that only Databricks has are "
        "missing",
    ),
    StandIn(
        "spark",
        "volumes by path",
        "`/Volumes/…` in Spark is the folder of a volume that exists, for files and checkpoints; privileges on it are "
        "not asked for",
    ),
    StandIn(
        "spark",
        "Kafka and service credentials",
        "Spark's own connector. `databricks.serviceCredential` is checked (it exists, purpose SERVICE, ACCESS of the "
        "session's user), its role is not assumed, and the broker is spoken to plainly. Every broker of MSK's stand-in "
        "refuses sessions without it, as a cluster with IAM alone does; IAM by `kafka.sasl.*` is refused too",
    ),
    StandIn(
        "spark",
        "Auto Loader",
        "a Python data source: CSV, JSON lines and Parquet, schema evolution `rescue` and `none`; each update lists "
        "the folder",
    ),
    StandIn(
        "pipelines",
        "Lakeflow's engine",
        "Spark's own engine of declarative pipelines, which is real; expectations are added under their Databricks "
        "names. A killed update may lose the expectation counts of its last batch, and never counts them twice",
    ),
    StandIn(
        "pipelines",
        "continuous pipelines",
        "the engine makes one pass; then each streaming flow is a stream of Spark with the flow's checkpoint, every "
        "five seconds unless `pipelines.trigger.interval` says otherwise, and views are made anew every minute in "
        "which rows came. Pauses between failed updates grow from 1 to 60 seconds",
    ),
    StandIn("pipelines", "materialized views", "computed anew by each update"),
    StandIn(
        "pipelines",
        "compute, edition, channel, notifications",
        "kept and answered; an update is a process on this machine, and no mail is sent",
    ),
    StandIn(
        "jobs",
        "compute of a task",
        "a process on this machine, two at a time and those of continuous jobs besides, on the one Spark server",
    ),
    StandIn(
        "jobs",
        "continuous jobs",
        "the next run starts a second after one ends, and after pauses that grow to a minute where runs fail; "
        "Databricks gives no figures. Pausing cancels the active run. With `task_retry_mode` `ON_FAILURE` a failed "
        "task is tried three times more, whatever the other tasks do",
    ),
    StandIn(
        "jobs",
        "libraries",
        "wheels are unpacked; each line of requirements is compared with this machine's environment, and nothing is "
        "installed. Versions of the four packages that the Spark client decides stay, with a line in the log",
    ),
    StandIn("jobs", "notifications, health rules", "kept and answered; no mail is sent, and no rule fires"),
    StandIn("jobs", "schedules", "fire while the workspace runs; what was missed while it was down is not made up for"),
    StandIn("sql", "results", "kept in the workspace's memory: a restart loses them"),
    StandIn(
        "sql",
        "statements",
        "Spark runs what is written again from the judged tree, in Spark's grammar; names of columns without an alias "
        "may differ. `information_schema` has six of its tables",
    ),
    StandIn(
        "lakebase",
        "projects",
        "a real PostgreSQL 18 each, five at most, without TLS, so that a client says `sslmode=disable`. The host of an "
        "endpoint carries the port, `127.0.0.1:<port>`, since local clouds share one address",
    ),
    StandIn(
        "lakebase",
        "computes",
        "sizes, scaling, suspension, high availability and history are kept and answered, and change nothing; a "
        "disabled endpoint stops its server",
    ),
    StandIn(
        "lakebase",
        "passwords",
        "PostgreSQL asks the workspace by RADIUS whether one is right; only those of the API's credentials are, and "
        "those of groups for the members that the directory knows",
    ),
    StandIn(
        "mlflow",
        "managed MLflow",
        "the open MLflow server, which is real, behind the workspace's address; calls that only Databricks has are "
        "missing",
    ),
    StandIn(
        "mlflow",
        "models in Unity Catalog",
        "kept by the workspace for Unity Catalog's API and for MLflow's registry `databricks-uc`; files go through the "
        "Files API, and lineage is missing. The registry of one workspace is refused",
    ),
    StandIn(
        "serving",
        "endpoints",
        "MLflow's own scoring server, one process for each served version: workload size and scaling to zero change "
        "nothing",
    ),
    StandIn("serving", "AI gateway", "usage tracking is kept and answered; no usage is recorded"),
    StandIn(
        "alerts",
        "notifications of an alert",
        "no mail is sent: the last notification of each alert is on the home page, every one in the workspace's log",
    ),
    StandIn(
        "dashboards",
        "the page of a published dashboard",
        "counters, bars, lines and tables are drawn from the same queries; a widget of another type is named",
    ),
    StandIn(
        "dashboards", "the workspace's pages", "one page of runs, pipelines, endpoints, dashboards, alerts and tables"
    ),
    StandIn(
        "aws",
        "AWS",
        "moto's server, whose memory is on disk; no request leaves the machine. It checks less: the text of bucket "
        "policies, what a public access block forbids, security groups in use",
    ),
    StandIn(
        "aws",
        "Pulumi's AWS provider",
        "our own plugin over boto3, for the types that this project's program uses; their inputs are compared with the "
        "pinned SDK",
    ),
    StandIn(
        "aws",
        "accounts and keys",
        "an access key of twelve digits is the account of that id, any other belongs to 123456789012; the secret key "
        "is anything",
    ),
    StandIn(
        "aws",
        "content of buckets",
        "what a workspace of Databricks has written lies in a folder and is not among the bucket's objects: S3's API "
        "does not list it, and deleting the bucket deletes it, whether forced or not",
    ),
    StandIn(
        "aws",
        "storage autoscaling, alarms, budgets, mails, networks",
        "kept and answered; nothing scales, fires, is sent or carries traffic",
    ),
    StandIn(
        "kafka",
        "brokers",
        "one real broker (KRaft) for each cluster, however many it asks for, without TLS and authentication; every "
        "bootstrap address is its own, and clients speak PLAINTEXT",
    ),
    StandIn(
        "kafka",
        "replication",
        "numbers of replicas in the cluster's configuration are 1; a topic is told with the factor and the "
        "`min.insync.replicas` that it was made with",
    ),
    StandIn(
        "kafka",
        "state of a cluster",
        "CREATING until its broker answers, HEALING while one that died is started again, UPDATING until one with a "
        "changed configuration answers, FAILED with the broker's own words after three starts",
    ),
    StandIn(
        "kafka",
        "broker counts, instance types, disks, encryption, monitoring",
        "kept and answered, and change nothing",
    ),
)
