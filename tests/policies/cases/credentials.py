"""Cases of the rule on secrets in clear text."""

from __future__ import annotations

from policies.rule import PROVIDER
from tests.policies.cases.case import Case
from tests.policies.cases.inputs import (
    EXPLORE,
    PIPELINE,
    bedrock,
    crm,
    dbt_task,
    external,
    fixed,
    job,
    policy,
    pulls_image,
    wheel_task,
)

CASES = [
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[wheel_task(api_token="hunter2")]),
        "namedParameters.api_token is '***'",
        job(tasks=[wheel_task(api_token="{{secrets/churn/crm}}", date="2026-01-31")]),
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[wheel_task(secret_scope="churn-dev", token="hunter2")]),
        "namedParameters.token is '***'",
        job(tasks=[wheel_task(secret_scope="churn-dev", token_key="crm", password_key_name="crm-password")]),
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        pulls_image("hunter2"),
        "newCluster.dockerImage.basicAuth.password is '***'",
        pulls_image("{{secrets/churn/registry}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ModelServing",
        external("openai", openaiApiKeyPlaintext="hunter2"),
        "openaiConfig.openaiApiKeyPlaintext is '***'",
        external("openai", openaiApiKey="{{secrets/churn/openai}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ModelServing",
        bedrock(awsSecretAccessKeyPlaintext="hunter2"),
        "amazonBedrockConfig.awsSecretAccessKeyPlaintext is '***'",
        bedrock(awsSecretAccessKey="{{secrets/churn/aws}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ClusterPolicy",
        policy({"spark_env_vars.DB_PASSWORD": fixed("hunter2")}),
        "definition.spark_env_vars.DB_PASSWORD.value is '***'",
        policy({"spark_env_vars.DB_PASSWORD": fixed("{{secrets/churn/db}}"), "cluster_type": fixed("job")}),
    ),
    Case(
        "no-secrets-in-clear",
        "Cluster",
        {**EXPLORE, "sparkConf": {"spark.hadoop.fs.s3a.secret.key": "hunter2"}},
        "sparkConf.spark.hadoop.fs.s3a.secret.key is '***'",
        {**EXPLORE, "sparkConf": {"spark.hadoop.fs.s3a.aws.credentials.provider": "com.example.Provider"}},
    ),
    Case(
        "no-secrets-in-clear",
        "Pipeline",
        {**PIPELINE, "configuration": {"churn.kafka.password": "hunter2"}},
        "configuration.churn.kafka.password is '***'",
        {**PIPELINE, "configuration": {"churn.kafka.service_credential": "churn-kafka"}},
    ),
    Case(
        "no-secrets-in-clear",
        PROVIDER,
        {"host": "https://example.com", "token": "hunter2"},
        "token is '***'. Remedy: leave it to the environment",
        {"host": "https://example.com"},
        bad_options='version="1.104.0"',
        good_options='version="1.104.0"',
    ),
    Case(
        "no-secrets-in-clear",
        "Connection",
        crm(user="churn", password="hunter2"),
        "options.password is '***'. Remedy: make the connection by CREATE CONNECTION",
        crm(user="churn"),
    ),
    Case(
        "no-secrets-in-clear",
        "GitCredential",
        {"name": "churn", "gitProvider": "gitHub", "personalAccessToken": "hunter2"},
        "personalAccessToken is '***'. Remedy: have whoever owns it enter it",
        {"name": "churn", "gitProvider": "gitHub"},
    ),
    Case(
        "no-secrets-in-clear",
        "SqlGlobalConfig",
        {"dataAccessConfig": {"spark.hadoop.javax.jdo.option.ConnectionPassword": "hunter2"}},
        "dataAccessConfig.spark.hadoop.javax.jdo.option.ConnectionPassword is '***'",
        {"dataAccessConfig": {"spark.hadoop.javax.jdo.option.ConnectionPassword": "{{secrets/churn/hive}}"}},
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[dbt_task("dbt deps", "dbt run --password hunter2")]),
        "dbtTask.commands[1] is '***'",
        job(tasks=[dbt_task("dbt deps", "dbt run --password {{secrets/churn/dbt}} --target prod")]),
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[wheel_task(credential_name="ghp_" + "0" * 36)]),
        "namedParameters.credential_name is '***'",
        job(tasks=[wheel_task(credential_name="churn-kafka", secret_name="crm")]),
    ),
]
