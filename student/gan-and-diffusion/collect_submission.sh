#!/bin/sh
# Put the submission together; see collect_submission.py.
cd "$(dirname "$0")" || exit 1
exec python collect_submission.py
