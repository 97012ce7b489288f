#!/usr/bin/env bash
# Runs once, when Gradescope builds the image: Python's packages, and bubblewrap for the sandbox.
set -eu
root="${GAPGRADE_AUTOGRADER:-/autograder}"
cd "$root/source/gapgrade"
apt-get update -qq
apt-get install -y -qq --no-install-recommends bubblewrap libseccomp2 python3 python3-venv >/dev/null
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Gapgrade needs Python 3.11 or newer; choose Ubuntu 24.04 as the base image of this autograder." >&2
    exit 2
}
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
.venv/bin/python environment/install.py
.venv/bin/python -m grader doctor || true # says whether gradings will count here or be advisory
