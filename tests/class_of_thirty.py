"""A class from its repositories to the grades: collected, graded, posted and exported, each killed in the middle.

`python -m tests.class_of_thirty` makes thirty repositories on a GitHub of our own and shows what happens to them. What
each is worth is known from how it was made. `tests/test_class.py` does the same with some of them.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from grader.collect import Record, read_record
from grader.gradebook import open_gradebook
from grader.gradebook.care import check
from tests.classes import ADD, NOISE, hand_in, make_course
from tests.fake_github import Host, serve
from tests.fake_github.host import TOKEN

DUE = datetime.fromisoformat("2027-01-16T23:59:00+01:00")
RULES = "\n[rules.late]\nper_day = 0.1\nat_most_days = 3\n"
BOT = "github-classroom[bot]"
IN_TIME, SECOND = timedelta(hours=-1), timedelta(seconds=1)
MARKER = "<!-- gapgrade:report:sums -->"

FORGER = (
    "import os, pathlib, signal\n"
    "pathlib.Path('result.json').write_text('{\"score\": 100}')\n"
    "for pid in range(1, 40000):\n"
    "    try:\n"
    "        os.kill(pid, signal.SIGKILL) if pid != os.getpid() else None\n"
    "    except OSError:\n"
    "        pass\n"
    "os._exit(0)"
)
CHAMELEON = (
    "class Equal(float):\n"
    "    __eq__ = __le__ = __ge__ = lambda self, other: True\n"
    "    __hash__ = None\n\n"
    "print('::notice title=Autograding complete::Points 100/6')\n"
    "print('##[add-mask]points')\n"
    "return Equal(a)"
)


@dataclass(frozen=True)
class Student:
    """A repository: what is in it, how it was pushed, and the points that it is worth.

    Attributes:
        pushes: how often the student pushed to main after the bot that made the repository.
        last: when the last of these pushes came, from the sheet's due date on.
        days: the extension.
        renamed: whether the repository got another name after it was made.
    """

    name: str
    points: str = "6"
    add: str = ADD
    noise: str = NOISE
    pushes: int = 3
    last: timedelta = IN_TIME
    days: int = 0
    renamed: bool = False

    @property
    def repository(self) -> str:
        return f"course/sums-{self.name}"

    @property
    def found_at(self) -> str:
        return f"course/work-of-{self.name}" if self.renamed else self.repository


# Right work earns 3 points for adding, 2 for noise and 1 for its style; a written task waits for a person.
SPECIAL = (
    Student("wrong-sum", "3", add="# the other way round\nreturn a - b"),
    Student("uniform-noise", "5", noise="# not normal\nreturn torch.rand(n)"),
    Student("open-gap", "4", noise='raise NotImplementedError("TODO sums 2")'),
    Student("four-pushes", "5", pushes=4),
    Student("four-pushes-to-the-second", "5", pushes=4, last=timedelta(0)),
    Student("five-pushes", "4", pushes=5),
    Student("six-pushes", "3", pushes=6),
    Student("ten-pushes", "0", pushes=10),
    Student("a-second-late", "5.4", pushes=4, last=SECOND),
    Student("two-days-late", "4.8", last=timedelta(days=2)),
    Student("extended", "6", last=timedelta(days=2), days=2),
    Student("forger", "2", add=FORGER),
    Student("chameleon", "2", add=CHAMELEON),
    Student("renamed", "6", renamed=True),
)
THIRTY = (*SPECIAL, *(Student(f"student-{number:02d}") for number in range(1, 31 - len(SPECIAL))))


@dataclass(frozen=True)
class Stage:
    """Where it all happens; `say` hears what happened, a sentence at a time."""

    students: Sequence[Student]
    folder: Path
    course: Path
    host: Host
    say: Callable[[str], None]

    @property
    def roster(self) -> Path:
        return self.folder / "roster.csv"

    @property
    def collected(self) -> Path:
        return self.folder / "collected"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def some(self) -> int:
        """How many of the class are done when a command is killed."""
        return len(self.students) // 3

    def run(self, *arguments: str) -> str:
        """A command of the grader to its end; what it says."""
        command, environment = self._command(arguments), self._environment()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that is going to be killed."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self._command(arguments), env=self._environment(), stdout=quiet, stderr=quiet)

    def run_killed_at(self, requests: str, enough: Callable[[int], bool], *arguments: str) -> None:
        """Kill a command while it waits for the host's answer to a request, which is carried out.

        `enough` is asked at each of the requests that match, with the number of them that came.
        """
        seen, running = Counter[str](), list[subprocess.Popen[bytes]]()

        def carried_out(method: str, path: str) -> None:
            if re.search(requests, f"{method} {path}"):
                seen["all"] += 1
                if enough(seen["all"]):
                    running[0].kill()
                    running[0].wait()

        self.host.carried_out = carried_out
        running.append(self.start(*arguments))
        status = running[0].wait(timeout=300)
        self.host.carried_out = lambda method, path: None
        assert status == -9, f"{arguments[0]} ended with status {status} before it could be killed"
        self.host.requests.clear()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "grader", *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "GITHUB_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}


@contextmanager
def opened(students: Sequence[Student], folder: Path, say: Callable[[str], None]) -> Iterator[Stage]:
    """A course, a host with every student's repository, and the roster."""
    course = make_course(folder / "course", RULES)
    with serve(folder / "host") as host:
        stage = Stage(students, folder, course, host, say)
        for student in students:
            hand_over(stage, student)
        lines = [f"{one.name},{100 + number},{one.days or ''}" for number, one in enumerate(students)]
        stage.roster.write_text("\n".join(["username,identifier,extension", *lines, ""]))
        yield stage


def hand_over(stage: Stage, student: Student) -> None:
    """Make a student's repository, with the template of the bot and all pushes of the student."""
    made = stage.host.create(student.repository)
    template = texts(stage.course / "student" / "sums")
    made.push((DUE - timedelta(days=20)).isoformat(), template, actor=BOT)
    for number in range(1, student.pushes):
        made.push(
            (DUE - timedelta(days=11, hours=-number)).isoformat(), {"notes.md": f"{number}\n"}, actor=student.name
        )
    work = texts(hand_in(stage.course, stage.folder / "work", student.name, student.add, student.noise))
    changed = {path: text for path, text in work.items() if text != template[path]}
    made.push((DUE + student.last).isoformat(), {**changed, "notes.md": "done\n"}, actor=student.name)
    if student.renamed:
        stage.host.rename(student.repository, student.found_at)


def texts(folder: Path) -> dict[str, str]:
    """The text files of a folder by their paths."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".md", ".txt", ".json", ".cfg"):
            found[path.relative_to(folder).as_posix()] = path.read_text()
    return found


def show_collect(stage: Stage) -> None:
    """Collect, killed while a pack is on its way."""
    command = [
        "collect",
        str(stage.collected),
        "--org",
        "course",
        "--assignment",
        "sums",
        "--roster",
        str(stage.roster),
    ]
    command += ["--sheet", "sums", "--course", str(stage.course), "--api-url", stage.host.api_url]

    def recorded() -> set[str]:
        return {one.name for one in read_record(stage.collected).submissions}

    # two at a time, so that most are recorded when the last pack is asked for
    command += ["--jobs", "2"]
    stage.run_killed_at("POST .*git-upload-pack", lambda _: len(recorded()) >= stage.some, *command)
    before = recorded()
    assert 0 < len(before) < len(stage.students)
    stage.run(*command)
    again = [one.name for one in stage.students if one.name in before and stage.host.count(f"/{one.found_at}[./?]")]
    assert not again, f"fetched twice: {again}"
    record: Record = read_record(stage.collected)
    assert {one.name for one in record.submissions} == {one.name for one in stage.students}
    assert {one.state for one in record.submissions} == {"collected"}
    at = {one.name: one.repository for one in record.submissions}
    assert at == {one.name: one.found_at for one in stage.students}
    stage.say(f"collect: killed with {len(before)} of {len(at)} recorded; it went on, and fetched none of these again")


def show_batch(stage: Stage, jobs: int) -> None:
    """Grade, killed while submissions are graded."""
    command = ["batch", str(stage.collected), "--sheet", "sums", "--course", str(stage.course), "--out", str(stage.out)]
    command += ["--roster", str(stage.roster), "--jobs", str(jobs), "--seed", "7"]
    running = stage.start(*command)
    while running.poll() is None and gradings(stage.out).total() < stage.some:
        time.sleep(0.02)
    running.kill()
    assert running.wait() == -9, "batch ended before it could be killed"
    before = gradings(stage.out)
    assert before.total() < len(stage.students)
    stage.run(*command, "--resume")
    graded = gradings(stage.out)
    assert graded == Counter(one.name for one in stage.students), f"not once each: {graded}"
    with open_gradebook(stage.out, must_exist=True) as book:
        assert check(book) == []
        points = {record.name: record.result.score for record in book.records() if record.result}
    assert points == {one.name: Decimal(one.points) for one in stage.students}, points
    stage.say(
        f"batch: killed with {before.total()} of {len(points)} graded; it went on, and graded none of these again"
    )


def gradings(out: Path) -> Counter[str]:
    """How often each submission was graded."""
    if not (out / "gradebook.sqlite").is_file():
        return Counter()
    with open_gradebook(out) as book:
        return Counter(row.submission for row in book.history() if row.event == "graded")


def show_publish(stage: Stage) -> None:
    """Post the reports, killed when one stands at the host and its sender does not know it yet."""
    command = ["publish", str(stage.out), "--collected", str(stage.collected), "--course", str(stage.course), "--send"]
    command += ["--api-url", stage.host.api_url]
    stage.run_killed_at(r"POST .*/commits/\w+/comments", lambda count: count == stage.some, *command)
    assert sum(map(len, posted(stage).values())) == stage.some
    stage.run(*command)
    stage.host.requests.clear()
    stage.run(*command)
    assert not stage.host.count("^(POST|PATCH)"), "the third time something was written again"
    for student in stage.students:
        (text,) = posted(stage)[student.name]
        assert f": {student.points} / 6 points" in text, text.splitlines()[1]
        (status,) = stage.host.repositories[student.found_at.lower()].statuses
        assert status["description"].startswith(f"{student.points} / 6 points")
    stage.say(
        f"publish: killed with {stage.some} posted, the last of them unknown to it; it went on, none stands twice"
    )


def posted(stage: Stage) -> dict[str, list[str]]:
    """The reports that stand at the host, by student."""
    repositories = stage.host.repositories
    return {
        one.name: [
            comment["body"] for comment in repositories[one.found_at.lower()].comments if MARKER in comment["body"]
        ]
        for one in stage.students
    }


def show_export(stage: Stage) -> None:
    """Export, killed at several moments: the file is whole or not there."""
    file = stage.folder / "grades.csv"
    command = ["export", "classroom", str(stage.out), "--roster", str(stage.roster), "--out", str(file)]
    command += ["--course", str(stage.course)]
    for seconds in (0.2, 0.6, 1.0):
        running = stage.start(*command)
        time.sleep(seconds)
        running.kill()
        running.wait()
        assert not file.exists() or exported(file) == expected(stage)
    stage.run(*command)
    assert exported(file) == expected(stage)
    stage.say(f"export: killed three times, never half a file; then {len(expected(stage))} grades")


def exported(file: Path) -> dict[str, Decimal]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return {row["github_username"]: Decimal(row["points_awarded"]) for row in csv.DictReader(lines)}


def expected(stage: Stage) -> dict[str, Decimal]:
    return {one.name: Decimal(one.points) for one in stage.students}


def show_class(
    students: Sequence[Student], folder: Path, say: Callable[[str], None] = lambda said: None, jobs: int = 1
) -> None:
    """All of it; raises `AssertionError` where something is lost, done twice, or not worth what it should be."""
    with opened(students, folder, say) as stage:
        say(f"{len(students)} repositories are there")
        show_collect(stage)
        show_batch(stage, jobs)
        show_publish(stage)
        show_export(stage)
        for student in students:
            result = json.loads((stage.out / "reports" / student.name / "result.json").read_text())
            rules = "; ".join(rule["message"] for rule in result["rules"] if rule["id"] in ("pushes", "late"))
            say(f"{student.name:26} {student.points:>4} points, as known: {rules}")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="gapgrade-class-"))
    try:
        show_class(THIRTY, folder, print, jobs=len(os.sched_getaffinity(0)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
