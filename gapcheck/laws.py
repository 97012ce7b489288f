"""Exact finite-sample laws: the bounds that a correct sample leaves with probability at most alpha.

No central limit theorem anywhere: each bound is a quantile of the exact law of its statistic, or a proven inequality.
Only scipy.special is used (scipy.stats takes most of a second to import); the tests compare the two.
"""

from __future__ import annotations

ALPHA = 1e-9  # the false-failure rate of one assertion
BETA = 1e-6  # the rate at which a wrong sample of the planned size may slip through
