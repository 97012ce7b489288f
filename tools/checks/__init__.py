"""What `python -m tools.check_release` proves, one module a check; what is wrong becomes a finding."""
