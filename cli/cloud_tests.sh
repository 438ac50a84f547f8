#!/bin/sh
# Runs the tests of the workloads with what the cloud has: its Spark client, what that stands on, and what jobs install.
# The Spark server is this machine's own. Both have the Python of .venv; the cloud's is 3.12.
set -eu
cd "$(dirname "$0")/.."
cloud=.venv/cloud/bin/python
spark=4.0.5 # of DBR 17.3 LTS; serverless environment 5 has a later client

.venv/bin/python -m venv --clear .venv/cloud
sed -n 's/^\(httpx\|psutil\|pytest\|pytest-timeout\|rich\)==\([^ ]*\).*/\1==\2/p' requirements.lock > .venv/cloud/tools.txt
.venv/bin/uv pip install --quiet --python $cloud --constraint workloads/runtime.txt "pyspark[connect]==$spark" \
    --requirement workloads/requirements.txt --requirement .venv/cloud/tools.txt
SPARK_SERVER_PYTHON=$PWD/.venv/bin/python exec $cloud -m pytest "$@" tests/workloads
