"""Adding."""

from gapcheck import assert_number, probe, run_alone, task


@probe
def add(a: float, b: float) -> float:
    from lib.adding import add

    return add(a, b)


@task("adding", hint="A sum does not depend on the order.")
def test_a_sum_is_symmetric() -> None:
    assert assert_number(add(1.5, 2), what="the sum") == assert_number(add(2, 1.5), what="the sum")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
