#!/bin/sh
# Makes .venv from requirements.lock: the one step before `platform` exists. Needs Python 3.11 and the package index.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/.requirements
wanted=$(cat requirements.lock pyproject.toml cli/bootstrap.sh | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

python=
for candidate in python3.11 python3 python; do
    if command -v "$candidate" > /dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: no Python 3.11 on PATH (python3.11, python3): install it, then run this again" >&2
    exit 1
fi
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
if [ "$free" -lt 4 ]; then
    echo "error: $free GiB free on this disk, the Python environment needs 4: free some, then run this again" >&2
    exit 1
fi

begun=$(date +%s)
echo "… Python environment (about a minute)"
if ! "$python" -m venv --clear .venv; then
    echo "error: $python has no venv module: install it (Debian: python3.11-venv), then run this again" >&2
    exit 1
fi
# uv itself comes from the lock file too, so that every file that is installed has a known hash
sed -n '/^uv==/,/[^\\]$/p' requirements.lock > .venv/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
# byte code is compiled here: importing the provider SDKs without it costs seconds on each run
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable .
printf '%s' "$wanted" > "$stamp"
echo "✓ Python environment $(($(date +%s) - begun)) s"
