"""Looks at this machine for the doctor. Whatever cannot be found out is reported as not there; nothing is raised."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from grader import UnsafeError
from grader.doctor import INSTALL, Facts
from grader.wall import seccomp
from grader.wall.budget import find_hierarchy
from grader.wall.choose import working_wall

ALIKE = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse"}


def collect() -> Facts:
    """Everything that `grader.doctor.findings` wants to know; opens a sandbox of each mode once, for some seconds."""
    bubblewrap = shutil.which("bwrap")
    return Facts(
        system=platform.system(),
        family=family_of(_read("/etc/os-release")),
        wsl="microsoft" in platform.release().lower(),
        in_container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
        github_runner=os.environ.get("GITHUB_ACTIONS") == "true",
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        python=tuple(sys.version_info[:3]),
        torch=_version("torch"),
        torchvision=_version("torchvision"),
        git=_said("git", "--version").removeprefix("git version "),
        bubblewrap=_said("bwrap", "--version").removeprefix("bubblewrap "),
        setuid=bubblewrap is not None and bool(os.stat(bubblewrap).st_mode & stat.S_ISUID),
        restricted=_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").strip() == "1",
        namespaces=int(_read("/proc/sys/user/max_user_namespaces") or -1),
        libseccomp=seccomp.available(),
        groups=find_hierarchy().version,
        nested=_why_not("nested"),
        fresh=_why_not("fresh"),
        container=_why_not("container"),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=_memory_mb(),
    )


def family_of(release: str) -> str:
    """The family of a distribution, from the text of its `os-release`."""
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    for word in f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split():
        name = ALIKE.get(word.partition("-")[0], word)
        if name in INSTALL:
            return name
    return ""


def _why_not(mode: str) -> str:
    try:
        working_wall(mode).close()
    except UnsafeError as error:
        return str(error)
    return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _version(package: str) -> str:
    """The version of a package that this interpreter can import."""
    done = _said(sys.executable, "-c", f"import {package}; print('imported')")
    return importlib.metadata.version(package) if done.endswith("imported") else ""


def _memory_mb() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (ValueError, OSError, AttributeError):
        return 0
