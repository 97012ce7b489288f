"""Adding."""

import math


def add(a: float, b: float) -> float:
    """The sum of a and b; a list of them is added up exactly."""
    # START TODO (sums 1): add a and b.
    # exactly, as fsum does it
    return math.fsum([a, b])
    # END TODO
