#!/bin/sh
# Makes .venv from requirements.lock: the one step before `platform` exists. Needs Python and the package index.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/.requirements
wanted=$(cat requirements.lock pyproject.toml cli/bootstrap.sh | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

sh cli/prerequisites.sh python
python=$(sh cli/find_python.sh)
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
if [ "$free" -lt 4 ]; then
    echo "error: $free GiB free on this disk, the Python environment needs 4: free some, then run this again" >&2
    exit 1
fi

started=$(date +%s)
echo "… Python environment (about a minute)"
"$python" -m venv --clear .venv
# uv itself comes from the lock file too, so that every file that is installed has a known hash
sed -n '/^uv==/,/[^\\]$/p' requirements.lock > .venv/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
# byte code is compiled here: importing the provider SDKs without it costs seconds on each run
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable .
printf '%s' "$wanted" > "$stamp"
echo "✓ Python environment $(($(date +%s) - started)) s"
