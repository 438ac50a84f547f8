#!/bin/sh
# Resolves the lock files from the two pyproject.toml: first what the cloud installs, then this machine's environment,
# which has the same versions. Only what its Spark client stands on (overrides.txt) differs.
set -eu
cd "$(dirname "$0")/.."
cloud=workloads/requirements.txt
constraints=.venv/constraints.txt

resolve() {
    output=$1
    shift
    .venv/bin/uv pip compile "$@" --universal --fork-strategy fewest --python-version 3.11 --no-annotate --no-header \
        --no-emit-index-url --no-emit-package nvidia-nccl-cu12 --no-emit-package nvidia-nccl-cu13 \
        --quiet --output-file "$output"
}

# No hashes: pip would ask for one of each package that the runtime has, whose files nobody here can see.
resolve $cloud workloads/pyproject.toml --extra jobs --constraint workloads/runtime.txt --no-emit-package pyarrow
resolve workloads/pipelines/requirements.txt workloads/pyproject.toml --constraint $cloud

sed -n 's/^\([a-z][a-z-]*\)[<>=].*/\/^\1[<>=]\/d/p' overrides.txt > .venv/overridden.sed
sed -f .venv/overridden.sed $cloud workloads/runtime.txt > $constraints
resolve requirements.lock pyproject.toml --extra dev --constraint $constraints --override overrides.txt \
    --generate-hashes
