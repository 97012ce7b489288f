"""What the tests of an exercise are written with: tasks, probes and assertions.

The package is vendored into every release, so that a public test runs in a student's checkout with nothing but
pytest, numpy, scipy, torch and safetensors installed.
"""

from gapcheck.probe import ProbeFailure, probe
from gapcheck.task import run_alone, task

__all__ = ["ProbeFailure", "probe", "run_alone", "task"]
