"""Grading by hand in a browser: submissions beside their rubric, on this machine alone.

`rubric` says what is to be decided, `desk` what waits and who comes next, `paper` what was handed in; `app` shows it,
behind `guard`.
"""
