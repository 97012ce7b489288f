"""What the tests of an exercise are written with: tasks, probes and assertions.

The package is vendored into every release, so that a public test runs in a student's checkout with nothing but
pytest, numpy, scipy, torch and safetensors installed.
"""

from gapcheck.comparisons import assert_between, assert_close, assert_equal, assert_unchanged
from gapcheck.distributions import (
    assert_bins,
    assert_distribution,
    assert_gamma_mean,
    assert_irwin_hall,
    assert_same_distribution,
    assert_sample_mean,
    assert_uniform,
)
from gapcheck.gradients import (
    assert_gradient,
    assert_gradient_flows,
    assert_no_gradient,
    assert_reparameterised,
)
from gapcheck.irwin_hall import irwin_hall_cdf
from gapcheck.laws import ALPHA, gamma_cdf, normal_cdf, uniform_cdf
from gapcheck.probe import ProbeFailure, probe
from gapcheck.statistics import (
    assert_extremes,
    assert_independent_calls,
    assert_independent_rows_and_columns,
    assert_mean,
    assert_normal,
    assert_standard_normal,
    assert_std,
    assert_uncorrelated,
    assert_variance,
    standardised,
)
from gapcheck.task import run_alone, task
from gapcheck.tensors import assert_array, assert_number, assert_tensor

__all__ = [
    "ALPHA",
    "ProbeFailure",
    "assert_array",
    "assert_between",
    "assert_bins",
    "assert_close",
    "assert_distribution",
    "assert_equal",
    "assert_extremes",
    "assert_gamma_mean",
    "assert_gradient",
    "assert_gradient_flows",
    "assert_independent_calls",
    "assert_independent_rows_and_columns",
    "assert_irwin_hall",
    "assert_mean",
    "assert_no_gradient",
    "assert_normal",
    "assert_number",
    "assert_reparameterised",
    "assert_same_distribution",
    "assert_sample_mean",
    "assert_standard_normal",
    "assert_std",
    "assert_tensor",
    "assert_unchanged",
    "assert_uncorrelated",
    "assert_uniform",
    "assert_variance",
    "gamma_cdf",
    "irwin_hall_cdf",
    "normal_cdf",
    "probe",
    "run_alone",
    "standardised",
    "task",
    "uniform_cdf",
]
