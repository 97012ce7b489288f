"""What a peer is, and the environment that it is installed into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.assignment import ROOT, Check
from benchmarks.measure import Command

ENVIRONMENTS = ROOT / ".venv-peers"


class Peer(Protocol):
    """A grader that is measured. One point a test."""

    name: str
    packages: tuple[str, ...]

    def prepare(self, folder: Path, submissions: Mapping[str, Path], checks: Sequence[Check]) -> list[Command]:
        """Lay out what the grader needs, outside the measurement; the commands that grade."""

    def score(self, folder: Path, name: str) -> float:
        """What a submission got; nan where there is no result."""


def install(peer: Peer) -> None:
    """Make a peer's environment once; torch and what the tests import come from this project's own."""
    home = ENVIRONMENTS / peer.name
    done = home / ".ready"
    if not peer.packages or (done.is_file() and done.read_text() == " ".join(peer.packages)):
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
    pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *peer.packages], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done.write_text(" ".join(peer.packages))


def program(peer: Peer, name: str) -> str:
    """A program in a peer's environment."""
    return str(ENVIRONMENTS / peer.name / "bin" / name)


def variables(peer: Peer, **more: str) -> dict[str, str]:
    """What a peer's programs find in their environment."""
    return {"PATH": f"{ENVIRONMENTS / peer.name / 'bin'}:{os.environ['PATH']}", **more}
