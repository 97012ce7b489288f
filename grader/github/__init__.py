"""GitHub, github.com or an Enterprise server: what is read from it and what is posted to it.

`client` sends requests within the host's limits, `activity` reads the log of pushes, `clone` fetches one commit without
running anything, `posting` writes reports.
"""
