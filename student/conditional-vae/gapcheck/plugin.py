"""The pytest plugin of the tests: the `task` marker and the seed of a run."""

from __future__ import annotations

import hashlib
import secrets

import pytest

from gapcheck import notebooks

SEED_OPTION = "--seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(SEED_OPTION, type=int, default=None, help="repeat a run that failed: the seed that it printed")


def pytest_configure(config: pytest.Config) -> None:
    notebooks.install()
    config.addinivalue_line("markers", "task(group, hint, title, weight): the points that a test belongs to")
    if config.getoption(SEED_OPTION) is None:
        config.option.seed = secrets.randbelow(2**31)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption(SEED_OPTION)} (repeat this run with {SEED_OPTION}={config.getoption(SEED_OPTION)})"


def derive_seed(run_seed: int, test: str) -> int:
    """The seed of one test: the same for the same run and test, whatever runs before it.

    A test is named by its file's name and its own, not by its folder, so that a public test draws the same data
    in the course's repository and in a release.
    """
    name = test.rpartition("/")[2]
    digest = hashlib.blake2b(f"{run_seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 2**31


@pytest.fixture
def fresh_seed(request: pytest.FixtureRequest) -> int:
    """A seed that no student can know beforehand: new for every run, logged with it."""
    return derive_seed(request.config.getoption(SEED_OPTION), request.node.nodeid)
