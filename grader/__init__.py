"""The grading engine: what runs, scores and reports.

Data flows one way, one module a station: intake -> splice -> run (wall) -> score -> report.
"""

import os

# The tensors of tests are small: a second thread would only wait for its next piece of work, and use a core for that.
os.environ.setdefault("OMP_NUM_THREADS", "1")

__version__ = "0.1.0"


class GapgradeError(Exception):
    """What went wrong, where, and what to do: one sentence for the person who called. Exit status 2."""


class UnsafeError(GapgradeError):
    """This machine cannot grade safely. Exit status 3."""
