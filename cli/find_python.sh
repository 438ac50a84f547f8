#!/bin/sh
# Prints the first Python on PATH that requirements.lock serves and that can make a virtual environment. The variable
# PYTHON names another than the first.
# Debian's and Ubuntu's Pythons have the module ensurepip only with their package python3.…-venv.
for name in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null
    then
        command -v "$name"
        exit 0
    fi
done
exit 1
