#!/bin/sh
# Makes .venv/ from requirements.lock, puts pdf.js (for the review page) into it, and installs bubblewrap (for the
# sandbox) and a browser (for the tests of the pages) where this user may. Called by `make setup`.
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

if command -v npm >/dev/null; then
    echo "Installing pdf.js into .venv/ ..."
    mkdir -p .venv/share/gapgrade
    cp environment/browser/package.json environment/browser/package-lock.json .venv/share/gapgrade/
    # the lock holds the digest of each package, and leaves out what pdf.js only needs outside a browser; none is run
    (cd .venv/share/gapgrade && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
else
    echo "npm is not installed: python -m grader review will only offer PDFs to be saved. Install npm and run this again." >&2
fi

[ "$(uname -s)" = Linux ] || { echo "No sandbox on this system: grading here is advisory (--sandbox none)."; exit 0; }
missing=""
command -v bwrap >/dev/null && ldconfig -p 2>/dev/null | grep -q libseccomp || missing="bubblewrap libseccomp2"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="$missing chromium"
[ -n "$missing" ] || exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "Installing $missing ..."
    $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "This user cannot install what is missing. Ask an administrator for:" >&2
    echo "    Debian, Ubuntu:  sudo apt-get install $missing" >&2
    echo "    Fedora:          sudo dnf install bubblewrap libseccomp chromium" >&2
    echo "Without bubblewrap grading is refused, or advisory with --sandbox none. Without a browser the tests of the" >&2
    echo "HTML report fail; GAPGRADE_NO_BROWSER=1 skips them." >&2
fi
