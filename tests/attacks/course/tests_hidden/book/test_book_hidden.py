"""Hidden tests of the attacks' notebook; no attack may find this text: THE-HIDDEN-TESTS-OF-THE-ATTACKS."""

import random

from gapcheck import assert_equal, assert_number, probe, task


@probe
def doubled(value: float) -> float:
    from notebook import double

    return double(value)


@probe
def tripled(value: float) -> float:
    from notebooks.book import triple

    return triple(value)


@probe
def listed() -> list[int]:
    from notebook import numbers

    return numbers


@task("double", hint="A sum.")
def test_another_number_is_doubled(fresh_seed: int) -> None:
    value = random.Random(fresh_seed).uniform(1, 2)
    assert assert_number(doubled(value), what="the double") == value + value


@task("numbers", hint="A product, and a list.")
def test_what_the_other_cells_make_is_as_it_was_handed_out(fresh_seed: int) -> None:
    value = random.Random(fresh_seed).uniform(1, 2)
    assert assert_number(tripled(value), what="the triple") == 3 * value
    assert_equal(listed(), [1, 2, 3])
