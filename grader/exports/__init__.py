"""Points for the systems that keep grades: one module a format, each a function from rows to text.

`rows` joins results and roster; `cells` makes cells that no spreadsheet runs as a formula.
"""
