"""The file that the attacks fill in."""

from typing import TypeVar

T = TypeVar("T")


def double(value: T) -> T:
    """Twice a tensor, or a text written twice."""
    # START TODO (target 1): add the value to itself.
    # a sum works for tensors and for texts
    return value + value
    # END TODO
