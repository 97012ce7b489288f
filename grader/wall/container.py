"""`container`: the same server in a container of Docker or Podman, one for each submission, over its input and output.

The container gets no network, no capability, no folder and no socket of this machine; its root is read-only, and what
can be written is in memory. Everything that is needed is in its image, whose tag is the digest of what it was built
from: an image of another version is not found, and so never used.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from grader import UnsafeError
from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell, seccomp
from grader.wall.bubblewrap import ENVIRONMENT, NOBODY
from grader.wall.budget import Budget
from grader.wall.cell import Folders, RemoteCell
from grader.wall.contents import HOUSE, SERVER, server_files
from grader.wall.inside.words import FILES_PER_MB
from grader.wall.process import started

ENGINES = ("docker", "podman")
DOCKERFILE = "environment/Dockerfile"
FOLDERS = Folders("/submission", shared=("/submission", "/tmp", "/dev/shm"))
OWN_MB = 768  # what Python with torch takes in the container, beyond what the limit allows the student
OWN_PROCESSES = 8
ANSWER_SECONDS = 20.0


def image() -> str:
    """The image's name, with the digest of what it is built from."""
    digest = hashlib.sha256()
    for name, file in sorted({**server_files(), "lock": HOUSE / "requirements.lock"}.items()):
        digest.update(f"{name}\0".encode() + file.read_bytes())
    return f"gapgrade-sandbox:{digest.hexdigest()[:12]}"


def build_command(engine: str) -> str:
    """What a person runs once, in the root of this repository."""
    return f"{engine} build --tag {image()} --file {DOCKERFILE} ."


def find_engine() -> str:
    """The engine that answers and has the image; raises `UnsafeError` with what is missing."""
    reasons = []
    for engine in ENGINES:
        if shutil.which(engine) is None:
            continue
        if not _runs(engine, "info"):
            reasons.append(f"{engine} is installed and does not answer")
        elif not _runs(engine, "image", "inspect", image()):
            reasons.append(f"{engine} has no image of this version; run: {build_command(engine)}")
        else:
            return engine
    raise UnsafeError("; ".join(reasons) or "neither Docker nor Podman is installed")


def _runs(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run_command(engine: str, name: str, limits: Limits) -> list[str]:
    """The command line of one submission's container."""
    memory = f"{limits.memory_mb + len(FOLDERS.shared) * limits.disk_mb + OWN_MB}m"
    disk = f"rw,nosuid,nodev,size={limits.disk_mb}m,nr_inodes={limits.disk_mb * FILES_PER_MB},mode=1777"
    options = {
        "--name": name,
        "--network": "none",
        "--hostname": "sandbox",
        "--user": f"{NOBODY}:{NOBODY}",
        "--cap-drop": "ALL",
        "--security-opt": "no-new-privileges",
        "--pids-limit": str(limits.processes + OWN_PROCESSES),
        "--memory": memory,
        "--memory-swap": memory,
        "--ulimit": "core=0:0",
        "--log-driver": "none",
        "--pull": "never",
        "--workdir": "/",
    }
    tmpfs = [f"--tmpfs={folder}:{disk}{',noexec' if folder == '/dev/shm' else ''}" for folder in FOLDERS.shared]
    environment = [f"--env={key}={text}" for key, text in ENVIRONMENT.items() if key not in ("PATH", "LD_LIBRARY_PATH")]
    flags = ["--rm", "--interactive", "--read-only", *(f"{key}={text}" for key, text in options.items())]
    program = ["python", "-I", "-S", f"/server/{SERVER}", "/packages"]
    return [engine, "run", *flags, *tmpfs, *environment, image(), *program]


class ContainerWall:
    """Starts a container for each cell and removes it with the cell."""

    mode: Mode = "container"

    def __init__(self) -> None:
        self._engine = find_engine()
        self._seccomp = seccomp.program()

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        name = f"gapgrade-{secrets.token_hex(8)}"
        # the kernel would count the processes of other containers too; the engine counts this one's
        few = limits.model_copy(update={"processes": 0})
        try:
            with started(run_command(self._engine, name, limits)) as peer:
                yield RemoteCell(peer.control, few, FOLDERS, Budget(), self._seccomp)
        finally:
            _runs(self._engine, "rm", "--force", name)  # it has removed itself, unless its client was killed

    def close(self) -> None:
        """Nothing runs between submissions."""
