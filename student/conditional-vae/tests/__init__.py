"""The public tests: `python -m pytest` runs all of them, `python -m tests.test_NAME` one file."""
