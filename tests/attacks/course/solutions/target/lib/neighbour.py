"""The file that no attack touches: its tests must not notice any of them."""

from torch import Tensor


def triple(value: Tensor) -> Tensor:
    """Three times a tensor."""
    # START TODO (target 2): multiply.
    # elementwise
    return 3 * value
    # END TODO
