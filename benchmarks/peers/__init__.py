"""Other graders with the same tests on the same submissions, each in an environment of its own."""

from __future__ import annotations

from benchmarks.peers.bare_pytest import BarePytest
from benchmarks.peers.environment import Peer
from benchmarks.peers.gradescope import GradescopeUtils
from benchmarks.peers.nbgrader import Nbgrader
from benchmarks.peers.otter import Otter

PEERS: tuple[Peer, ...] = (Nbgrader(), Otter(), GradescopeUtils(), BarePytest())
