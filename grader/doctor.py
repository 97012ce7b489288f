"""What this machine can do, and how to mend what it cannot: facts in, findings out.

`findings` is a pure function, so that it is tested with the facts of machines that are not here. `grader.facts`
collects them, and the command shows what comes of it.

Ubuntu's restriction of unprivileged user namespaces:
https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "weak", "missing"]
INSTALL = {  # by a distribution's family: its package manager and what it calls these packages
    "debian": ("sudo apt-get install -y", {"bubblewrap": "bubblewrap", "libseccomp": "libseccomp2", "git": "git"}),
    "fedora": ("sudo dnf install -y", {"bubblewrap": "bubblewrap", "libseccomp": "libseccomp", "git": "git"}),
    "arch": ("sudo pacman -S --noconfirm", {"bubblewrap": "bubblewrap", "libseccomp": "libseccomp", "git": "git"}),
    "suse": ("sudo zypper install -y", {"bubblewrap": "bubblewrap", "libseccomp": "libseccomp2", "git": "git-core"}),
}
APPARMOR = (
    "echo 'abi <abi/4.0>, include <tunables/global> "
    "profile gapgrade-bwrap /usr/bin/bwrap flags=(unconfined) { userns, }'"
    " | sudo tee /etc/apparmor.d/gapgrade-bwrap && sudo apparmor_parser -r /etc/apparmor.d/gapgrade-bwrap"
)
NO_APPARMOR = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
NAMESPACES = "sudo sysctl -w user.max_user_namespaces=15000"
DELEGATE = "systemd-run --user --scope -p Delegate=yes python -m grader grade ..."
ENOUGH_MB = 2048


@dataclass(frozen=True)
class Facts:
    """What was found on a machine.

    Attributes:
        system: as Python's `platform.system()` says it.
        family: the distribution's family, a key of `INSTALL`, or empty.
        bubblewrap: its version; empty where there is none.
        restricted: AppArmor refuses user namespaces to programs without a profile that allows them.
        namespaces: the kernel's `user.max_user_namespaces`; -1 where it has no such limit.
        groups: the version of the control groups that limits over all processes can be set with.
        nested, fresh, container: why the mode does not work; empty where it does.
    """

    system: str
    family: str = ""
    wsl: bool = False
    in_container: bool = False
    github_runner: bool = False
    root: bool = False
    python: tuple[int, ...] = (3, 11, 0)
    torch: str = ""
    torchvision: str = ""
    git: str = ""
    bubblewrap: str = ""
    setuid: bool = False
    restricted: bool = False
    namespaces: int = -1
    libseccomp: bool = False
    groups: Literal["v2", "v1", "none"] = "none"
    nested: str = "not tried"
    fresh: str = "not tried"
    container: str = "not tried"
    image: str = ""
    cores: int = 1
    memory_mb: int = 0

    @property
    def counts(self) -> bool:
        """Whether a grading that counts is possible: student code is kept apart in one way or another."""
        return not (self.nested and self.fresh and self.container) and bool(self.torch)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mend: the command that mends it; empty where nothing is to be done.
    """

    name: str
    status: Status
    says: str
    mend: str = ""


def findings(facts: Facts) -> list[Finding]:
    """What the facts mean for grading, in the order in which they are best mended."""
    found = list(_everywhere(facts))
    if facts.system != "Linux":
        return [*found, _other_system(facts), _container(facts)]
    return [*found, *_ground(facts), *_modes(facts), _container(facts)]


def _everywhere(facts: Facts) -> Iterator[Finding]:
    version = ".".join(map(str, facts.python))
    new = facts.python >= (3, 11)
    yield Finding("Python", "ok" if new else "missing", version, "" if new else "make PYTHON=python3.11 setup")
    for name, said in (("torch", facts.torch), ("torchvision", facts.torchvision)):
        yield Finding(name, "ok" if said else "missing", said or "cannot be imported", "" if said else "make setup")
    mend = "" if facts.git else _install(facts, "git")
    yield Finding("git", "ok" if facts.git else "weak", facts.git or "not installed: repositories are not read", mend)
    little = facts.memory_mb < ENOUGH_MB
    says = f"{facts.cores} cores, {facts.memory_mb / 1024:.1f} GiB"
    yield Finding("machine", "weak" if little else "ok", says + (": limits of a probe may exceed it" if little else ""))


def _install(facts: Facts, package: str) -> str:
    if facts.system == "Darwin":
        return f"brew install {package}"
    manager, names = INSTALL.get(facts.family, ("", {}))
    command = f"{manager} {names[package]}" if manager else f"install the package {package}"
    if facts.root:
        command = command.removeprefix("sudo ")
    return f"{command.replace('apt-get', 'apt-get update && apt-get', 1)}" if facts.in_container else command


def _other_system(facts: Facts) -> Finding:
    if facts.system == "Windows":
        return Finding(
            "sandbox", "missing", "Windows has none that Gapgrade knows; grade inside WSL 2", "wsl --install"
        )
    return Finding(
        "sandbox", "missing", f"{facts.system} has none that Gapgrade knows; grade in a container, or on Linux"
    )


def _ground(facts: Facts) -> Iterator[Finding]:
    yield _bubblewrap(facts)
    yield _namespaces(facts)
    ok = facts.libseccomp
    says = "filters system calls" if ok else "not installed: system calls cannot be filtered"
    yield Finding("libseccomp", "ok" if ok else "missing", says, "" if ok else _install(facts, "libseccomp"))
    yield _groups(facts)


def _bubblewrap(facts: Facts) -> Finding:
    if not facts.bubblewrap:
        return Finding("bubblewrap", "missing", "not installed", _install(facts, "bubblewrap"))
    if facts.setuid:
        says = "setuid root: student code would find a privileged program"
        return Finding("bubblewrap", "missing", says, "sudo chmod u-s $(command -v bwrap)")
    return Finding("bubblewrap", "ok", f"{facts.bubblewrap}, not setuid")


def _namespaces(facts: Facts) -> Finding:
    if facts.namespaces == 0:
        return Finding("user namespaces", "missing", "user.max_user_namespaces is 0", NAMESPACES)
    if not (facts.nested and facts.fresh):
        return Finding("user namespaces", "ok", "allowed")
    if facts.restricted:
        # on a runner, which is thrown away, the switch is simplest; elsewhere only bubblewrap gets the right
        mend = NO_APPARMOR if facts.github_runner else APPARMOR
        return Finding("user namespaces", "missing", "AppArmor refuses them to bubblewrap", mend)
    if facts.in_container:
        says = "this container does not allow them; allow them when it is started, or grade outside"
        return Finding(
            "user namespaces", "missing", says, "docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN ..."
        )
    return Finding("user namespaces", "weak", "no restriction found")


def _groups(facts: Facts) -> Finding:
    if facts.groups == "none":
        says = (
            "no control group of our own: the memory of all processes is looked at every 50 ms, a burst can exceed it"
        )
        return Finding("control groups", "weak", says, "" if facts.in_container or facts.wsl else DELEGATE)
    return Finding("control groups", "ok", f"version {facts.groups[1:]}: the kernel bounds memory and processes")


def _modes(facts: Facts) -> Iterator[Finding]:
    for name, reason in (("nested", facts.nested), ("fresh", facts.fresh)):
        works = "works" if name == "nested" else "works, with a cold start for each submission"
        yield Finding(f"sandbox {name}", "missing" if reason else "ok", reason or works)


def _container(facts: Facts) -> Finding:
    if not facts.container:
        return Finding("sandbox container", "ok", "an engine answers and has the image")
    mend = facts.container.partition("; run: ")[2]
    return Finding("sandbox container", "missing", facts.container.partition("; run: ")[0], mend)
