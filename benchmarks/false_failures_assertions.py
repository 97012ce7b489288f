"""How often the statistical assertions fail correct samples.

    python -m benchmarks.false_failures_assertions --runs 10000

Every case draws a correct sample and judges it at alpha = 1e-2, where failures can be counted. A rate outside the exact
binomial interval of its law (1e-9 for all cases together) is a defect. A sample that fails is judged again at the
default 1e-9: the bounds are nested, so no sample can fail only there.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

import gapcheck
from gapcheck import ALPHA
from gapcheck.distributions import NORMAL_EDGES, normal_bins
from gapcheck.laws import binomial_bounds, gamma_cdf

N = 256  # values a sample
SIGNIFICANCE = 1e-9  # chance that a whole run of this program reports a defect that is none

Rng = np.random.Generator
Case = Callable[[Rng, float], None]  # draws a correct sample and asserts at alpha


def _normal(rng: Rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, means and standard deviations that differ from element to element."""
    mean, std = rng.uniform(-3, 3, N), rng.uniform(0.1, 3, N)
    return rng.normal(mean, std), mean, std


def _mean(rng: Rng, alpha: float) -> None:
    gapcheck.assert_mean(*_normal(rng), alpha=alpha)


def _std(rng: Rng, alpha: float) -> None:
    values, mean, std = _normal(rng)
    gapcheck.assert_std(values, std, mean=mean, alpha=alpha)


def _std_around_average(rng: Rng, alpha: float) -> None:
    gapcheck.assert_std(rng.normal(5, 2, N), 2.0, alpha=alpha)


def _variance(rng: Rng, alpha: float) -> None:
    gapcheck.assert_variance(rng.normal(5, 2, N), 4.0, mean=5.0, alpha=alpha)


def _uncorrelated(rng: Rng, alpha: float) -> None:
    gapcheck.assert_uncorrelated(rng.exponential(size=N), rng.normal(size=N), alpha=alpha)


def _independent_calls(rng: Rng, alpha: float) -> None:
    gapcheck.assert_independent_calls(rng.normal(size=N), rng.normal(size=N), alpha=alpha)


def _extremes(rng: Rng, alpha: float) -> None:
    gapcheck.assert_extremes(rng.normal(size=N), alpha=alpha)


def _gamma_mean(rng: Rng, alpha: float) -> None:
    gapcheck.assert_gamma_mean(rng.exponential(2.0, size=N), scale=2.0, alpha=alpha)


def _rows_and_columns(rng: Rng, alpha: float) -> None:
    gapcheck.assert_independent_rows_and_columns(rng.normal(size=(N // 8, 8)), alpha=alpha)


def _standard_normal(rng: Rng, alpha: float) -> None:
    gapcheck.assert_standard_normal(rng.normal(size=(N // 8, 8)), alpha=alpha)


def _standard_normal_torch(rng: Rng, alpha: float) -> None:
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    gapcheck.assert_standard_normal(torch.randn(N, generator=generator), alpha=alpha)


def _normal_of_each_element(rng: Rng, alpha: float) -> None:
    gapcheck.assert_normal(*_normal(rng), alpha=alpha)


def _distribution(rng: Rng, alpha: float) -> None:
    gapcheck.assert_distribution(rng.gamma(3.0, 0.5, N), gamma_cdf(3.0, 0.5), alpha=alpha)


def _bins(rng: Rng, alpha: float) -> None:
    gapcheck.assert_bins(rng.normal(size=N), NORMAL_EDGES, normal_bins(), alpha=alpha)


def _uniform(rng: Rng, alpha: float) -> None:
    gapcheck.assert_uniform(rng.uniform(-2, 3, N), -2.0, 3.0, alpha=alpha)


def _irwin_hall(m: int) -> Case:
    def case(rng: Rng, alpha: float) -> None:
        b = math.sqrt(3 * m)
        gapcheck.assert_irwin_hall(rng.uniform(-b, b, (64, m)).mean(axis=1), m, alpha=alpha)

    return case


def _hoeffding(rng: Rng, alpha: float) -> None:
    gapcheck.assert_sample_mean(rng.integers(0, 2, N).astype(float), 0.5, low=0.0, high=1.0, alpha=alpha)


def _bernstein(rng: Rng, alpha: float) -> None:
    values = (rng.uniform(size=N) < 0.1).astype(float)
    gapcheck.assert_sample_mean(values, 0.1, low=0.0, high=1.0, variance=0.09, alpha=alpha)


def _same_distribution(sizes: tuple[int, int]) -> Case:
    def case(rng: Rng, alpha: float) -> None:
        gapcheck.assert_same_distribution(*(rng.exponential(size=n) for n in sizes), alpha=alpha)

    return case


# The statistic has a continuous, exact law: the false-failure rate is alpha itself.
EXACT: dict[str, Case] = {
    "assert_mean": _mean,
    "assert_std": _std,
    "assert_std (around the average)": _std_around_average,
    "assert_variance": _variance,
    "assert_uncorrelated": _uncorrelated,
    "assert_independent_calls": _independent_calls,
    "assert_extremes": _extremes,
    "assert_gamma_mean": _gamma_mean,
}
# Union bounds, inequalities or counts: the rate is at most alpha.
BOUNDED: dict[str, Case] = {
    "assert_independent_rows_and_columns": _rows_and_columns,
    "assert_standard_normal": _standard_normal,
    "assert_standard_normal (torch.randn)": _standard_normal_torch,
    "assert_normal": _normal_of_each_element,
    "assert_distribution": _distribution,
    "assert_bins": _bins,
    "assert_uniform": _uniform,
    "assert_irwin_hall (m = 1)": _irwin_hall(1),
    "assert_irwin_hall (m = 16)": _irwin_hall(16),
    "assert_irwin_hall (m = 1024)": _irwin_hall(1024),
    "assert_sample_mean (Hoeffding)": _hoeffding,
    "assert_sample_mean (Bernstein)": _bernstein,
    "assert_same_distribution": _same_distribution((N, N)),
    "assert_same_distribution (two sizes)": _same_distribution((N, N // 2)),
}


class Row(NamedTuple):
    """What was counted for one case."""

    name: str
    runs: int
    failed: int  # at the alpha that was asked for
    failed_by_default: int  # at 1e-9
    low: int  # the counts that the law allows
    high: int

    @property
    def calibrated(self) -> bool:
        return self.low <= self.failed <= self.high


def measure(name: str, *, runs: int, alpha: float, seed: int, progress: bool = False) -> Row:
    """Judge `runs` correct samples of one case."""
    case = (EXACT | BOUNDED)[name]
    failed = failed_by_default = 0
    for run in tqdm(range(runs), desc=name, leave=False, disable=not progress):
        key = [seed, run, *name.encode()]
        if not _passes(case, key, alpha):
            failed += 1
            failed_by_default += not _passes(case, key, ALPHA)
    low, high = binomial_bounds(runs, alpha, SIGNIFICANCE / len(EXACT | BOUNDED))
    return Row(name, runs, failed, failed_by_default, low if name in EXACT else 0, high)


def _passes(case: Case, key: list[int], alpha: float) -> bool:
    try:
        case(np.random.default_rng(key), alpha)
    except AssertionError:
        return False
    return True


def _lines(rows: list[Row], alpha: float) -> Iterator[str]:
    yield f"{'assertion':38} {f'failed at {alpha:g}':>15} {'allowed':>16} {f'at {ALPHA:g}':>9}"
    for row in rows:
        mark = "" if row.calibrated else "  NOT CALIBRATED"
        allowed = f"{row.low:,} ... {row.high:,}"
        yield f"{row.name:38} {row.failed:>15,} {allowed:>16} {row.failed_by_default:>9,}{mark}"


def main() -> int:
    """Exit status 1 where a rate does not fit its law."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000, help="correct samples an assertion (default 10,000)")
    parser.add_argument("--alpha", type=float, default=1e-2, help="false-failure rate to count at (default 0.01)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other samples")
    options = parser.parse_args()
    names = tqdm(EXACT | BOUNDED, desc="assertions")
    rows = [measure(name, runs=options.runs, alpha=options.alpha, seed=options.seed, progress=True) for name in names]
    print(f"{options.runs:,} correct samples an assertion, seed {options.seed}")
    print(*_lines(rows, options.alpha), sep="\n")
    return 0 if all(row.calibrated and row.failed_by_default == 0 for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
