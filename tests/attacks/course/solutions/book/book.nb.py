# %% [markdown] id="text"
# Numbers.

# %% id="double"
def double(value: float) -> float:
    """Twice a number."""
    # START TODO (book 1): add the value to itself.
    # a sum
    return value + value
    # END TODO


# %% id="triple"
def triple(value: float) -> float:
    """Three times a number."""
    return 3 * value


# %% id="after"
# START TODO (book 2): the numbers one to three, called `numbers`.
# a list
numbers = [1, 2, 3]
# END TODO

# %% tags=["training"] id="train"
losses = [double(0.5)]
