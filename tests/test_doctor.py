"""The doctor: facts of many machines in, findings and the commands that mend them out."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from grader import UnsafeError
from grader.doctor import APPARMOR, NAMESPACES, NO_APPARMOR, Facts, Finding, findings
from grader.facts import family_of
from grader.wall import choose
from grader.wall.choose import choose_wall

GOOD = Facts(
    system="Linux",
    family="debian",
    python=(3, 12, 1),
    torch="2.13.0",
    torchvision="0.28.0",
    git="2.43.0",
    bubblewrap="0.9.0",
    namespaces=96_000,
    libseccomp=True,
    groups="v2",
    nested="",
    fresh="",
    container="neither Docker nor Podman is installed",
    cores=8,
    memory_mb=16_000,
)
BLOCKED = dataclasses.replace(GOOD, nested="permission denied", fresh="permission denied")


def named(facts: Facts, name: str) -> Finding:
    (found,) = [finding for finding in findings(facts) if finding.name == name]
    return found


def test_a_good_machine_has_nothing_to_mend() -> None:
    assert GOOD.counts
    assert {finding.name for finding in findings(GOOD) if finding.status != "ok"} == {"sandbox container"}
    assert not any(finding.mend for finding in findings(GOOD))


@pytest.mark.parametrize(
    ("facts", "name", "mend"),
    [
        ({"bubblewrap": ""}, "bubblewrap", "sudo apt-get install -y bubblewrap"),
        ({"bubblewrap": "", "root": True}, "bubblewrap", "apt-get install -y bubblewrap"),
        ({"bubblewrap": "", "family": "fedora"}, "bubblewrap", "sudo dnf install -y bubblewrap"),
        ({"bubblewrap": "", "family": ""}, "bubblewrap", "install the package bubblewrap"),
        (
            {"bubblewrap": "", "root": True, "in_container": True},
            "bubblewrap",
            "apt-get update && apt-get install -y bubblewrap",
        ),
        ({"setuid": True}, "bubblewrap", "sudo chmod u-s $(command -v bwrap)"),
        ({"restricted": True}, "user namespaces", APPARMOR),
        ({"restricted": True, "github_runner": True}, "user namespaces", NO_APPARMOR),
        ({"namespaces": 0}, "user namespaces", NAMESPACES),
        ({"libseccomp": False}, "libseccomp", "sudo apt-get install -y libseccomp2"),
        ({"torchvision": ""}, "torchvision", "make setup"),
    ],
)
def test_what_is_missing_comes_with_the_command_that_mends_it(facts: dict[str, object], name: str, mend: str) -> None:
    found = named(dataclasses.replace(BLOCKED, **facts), name)  # type: ignore[arg-type]
    assert (found.status, found.mend) == ("missing", mend)


def test_a_restriction_that_stops_nobody_is_no_finding() -> None:
    assert named(dataclasses.replace(GOOD, restricted=True), "user namespaces").status == "ok"


def test_limits_without_control_groups_are_weak_and_gradings_count() -> None:
    facts = dataclasses.replace(GOOD, groups="none")
    assert named(facts, "control groups").status == "weak"
    assert "Delegate=yes" in named(facts, "control groups").mend
    assert facts.counts


def test_a_container_says_how_it_should_have_been_started() -> None:
    found = named(dataclasses.replace(BLOCKED, in_container=True), "user namespaces")
    assert found.mend.startswith("docker run --security-opt")


@pytest.mark.parametrize(("system", "mend"), [("Darwin", ""), ("Windows", "wsl --install")])
def test_a_system_without_a_sandbox_grades_in_a_container_or_not_at_all(system: str, mend: str) -> None:
    facts = Facts(system=system, torch="2.13.0", container="docker is installed and does not answer")
    assert not facts.counts
    assert named(facts, "sandbox").mend == mend
    assert not any(finding.name == "bubblewrap" for finding in findings(facts))
    assert dataclasses.replace(facts, container="").counts


def test_a_missing_image_is_built_with_the_command_of_the_finding() -> None:
    facts = dataclasses.replace(GOOD, container="docker has no image of this version; run: docker build --tag x .")
    assert named(facts, "sandbox container").mend == "docker build --tag x ."


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', "debian"),
        ("ID=debian\n", "debian"),
        ("ID=fedora\n", "fedora"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "suse"),
        ("ID=plan9\n", ""),
        ("", ""),
    ],
)
def test_a_distribution_belongs_to_a_family(release: str, family: str) -> None:
    assert family_of(release) == family


def test_where_no_sandbox_works_the_error_points_to_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> choose.Wall:
        raise UnsafeError("it is broken")

    monkeypatch.setattr(choose, "STRONGEST_FIRST", {"nested": broken, "fresh": broken})
    with pytest.raises(UnsafeError, match=r"nested: it is broken; fresh: it is broken.*grader doctor"):
        choose_wall("auto")
    with pytest.raises(UnsafeError, match="it is broken"):
        choose_wall("nested")
    with pytest.raises(UnsafeError, match="no sandbox mode 'jail'"):
        choose_wall("jail")


def test_the_command_prints_findings_and_exits_by_what_counts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["counts"] else 3)
    assert {finding["status"] for finding in said["findings"]} <= {"ok", "weak", "missing"}
