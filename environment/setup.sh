#!/bin/sh
# Makes .venv/ from requirements.lock, and installs bubblewrap where this user may. Called by `make setup`.
set -eu

if [ -z "${PYTHON:-}" ] || ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Gapgrade needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3.11 setup" >&2
    exit 2
fi
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
echo "Installing the packages of requirements.lock into .venv/ (a few minutes the first time) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
.venv/bin/python environment/install.py

[ "$(uname -s)" = Linux ] || { echo "No sandbox on this system: grading here is advisory (--sandbox none)."; exit 0; }
if ! command -v bwrap >/dev/null || ! ldconfig -p 2>/dev/null | grep -q libseccomp; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    packages="bubblewrap libseccomp2"
    if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
        echo "Installing $packages ..."
        $as_root apt-get update -qq && $as_root apt-get install -y -qq $packages >/dev/null
    else
        echo "bubblewrap is missing, and this user cannot install it. Ask an administrator for:" >&2
        echo "    Debian, Ubuntu:  sudo apt-get install $packages" >&2
        echo "    Fedora:          sudo dnf install bubblewrap libseccomp" >&2
        echo "Until then grading is refused, or advisory with --sandbox none." >&2
    fi
fi
