#!/bin/sh
# Run all public tests and the style check, as the Autograding Tests workflow does.
cd "$(dirname "$0")" || exit 1
python -m pytest "$@"
tests=$?
python -m pycodestyle --max-line-length 120 .
style=$?
[ "$tests" -eq 0 ] && [ "$style" -eq 0 ]
