"""The mode `container`: its command line as data, and its run with an engine that is a stand-in.

The stand-in is a program that takes Docker's arguments and starts the same server, in a bubblewrap sandbox.
That a real engine honours the options of the command line is not tested here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import UnsafeError
from grader.sheet import Limits
from grader.wall import Call, Value
from grader.wall.container import ContainerWall, build_command, find_engine, image, run_command
from grader.wall.contents import HOUSE, SERVER, server_files

ENGINE = """#!{python}
import os, sys
sys.path.insert(0, {house!r})
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "info":
    sys.exit({answers})
if sys.argv[1:3] == ["image", "inspect"]:
    sys.exit({missing})
if sys.argv[1] == "run":
    from grader.wall import bubblewrap
    from grader.wall.contents import SERVER
    command = bubblewrap.command(SERVER)
    os.execv(command[0], command)
"""
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a stand-in for `docker` first on the path; returns the log of its calls."""

    def write(answers: int = 0, missing: int = 0) -> Path:
        log, engine = tmp_path / "log", tmp_path / "docker"
        engine.write_text(
            ENGINE.format(python=sys.executable, house=str(HOUSE), log=str(log), answers=answers, missing=missing)
        )
        engine.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
        return log

    return write


def test_the_command_line_gives_a_container_nothing_of_this_machine() -> None:
    command = run_command("docker", "gapgrade-1", Limits(memory_mb=1024, disk_mb=10, processes=12))
    assert command[:2] == ["docker", "run"]
    assert {
        "--rm",
        "--read-only",
        "--network=none",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--user=65534:65534",
        "--pids-limit=20",
        "--memory=1822m",
        "--memory-swap=1822m",
        "--pull=never",
    } <= set(command)
    assert not [word for word in command if word.startswith(("--volume", "-v", "--mount", "--privileged", "--device"))]
    assert command[-6:] == [image(), "python", "-I", "-S", f"/server/{SERVER}", "/packages"]


def test_a_probe_runs_in_the_container_and_the_container_is_removed(install: Install) -> None:
    log = install()
    wall = ContainerWall()
    with wall.open(Limits()) as cell:
        cell.place({"lib/one.py": b"ONE = 1"})
        source = "def one():\n    open('/tmp/left', 'x')\n    from lib.one import ONE\n    return ONE"
        for _ in range(2):  # the first probe's files are gone
            assert cell.call(Call(source, "one")) == Value(1)
    calls = [line.split()[0] for line in log.read_text().splitlines()]
    assert calls == ["info", "image", "run", "rm"]


def test_an_engine_without_the_image_says_how_to_build_it(install: Install) -> None:
    install(missing=1)
    with pytest.raises(UnsafeError, match="docker build --tag gapgrade-sandbox:"):
        find_engine()


def test_an_engine_that_does_not_answer_is_named(install: Install) -> None:
    install(answers=1)
    with pytest.raises(UnsafeError, match="docker is installed and does not answer"):
        find_engine()


def test_the_image_holds_every_file_of_the_server() -> None:
    dockerfile = (HOUSE / build_command("docker").split()[-2]).read_text()
    assert "COPY grader /server/grader" in dockerfile
    others = sorted(name for name in server_files() if not name.startswith("grader/"))
    assert f"COPY {' '.join(others)} /server/gapcheck/" in dockerfile
