"""Batches: one failure is nobody else's, what is committed stays, and nothing is graded twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.batch import plan
from grader.batching import crew, job
from grader.batching.crew import Stop, work
from grader.batching.find import BatchError, Found, Shard, find_submissions, longest_first, parse_shard
from grader.batching.job import Job, Outcome, Settings, Station
from grader.batching.terms import Terms
from grader.batching.worker import Nursery, Worker, WorkerGone
from grader.commands.batch import _same_call
from grader.gradebook import open_gradebook
from grader.gradebook.care import check
from grader.gradebook.works import works_in
from grader.sheet import Limits, load_sheet
from grader.wall import WallError
from tests.classes import ADD, NOISE, SLOW, batch_command, grade_class, hand_in
from tests.sample_result import result

FORGERY = (
    "import os, pathlib, signal\n"
    "pathlib.Path('result.json').write_text('{\"score\": 100}')\n"
    "for pid in range(1, 40000):\n"
    "    try:\n"
    "        os.kill(pid, signal.SIGKILL) if pid != os.getpid() else None\n"
    "    except OSError:\n"
    "        pass\n"
    "os._exit(0)"
)
BODIES = {
    "good": ADD,
    "wrong": "return a - b",
    "hostile": FORGERY,
    "hanging": "while True:\n    pass",
    "unspeakable": "raise ValueError('\\ud800 \\0 ::error::')",
}
SCORES = {"good": 6, "wrong": 1, "hostile": 2, "hanging": 3, "unspeakable": 3, "packed": 6}


@dataclass(frozen=True)
class Graded:
    """A class that was graded once."""

    folder: Path
    out: Path
    said: str
    errors: str


@pytest.fixture(scope="module")
def graded(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("graded") / "out"
    for name, body in BODIES.items():
        hand_in(course, folder, name, body)
    packed = hand_in(course, folder, "unpacked")
    shutil.make_archive(str(folder / "packed"), "zip", packed)
    shutil.rmtree(packed)
    (folder / "empty").mkdir()
    (folder / "broken.tar.gz").write_bytes(b"\x1f\x8b no archive")
    (folder / "roster.csv").write_text("name,login\n")
    push = {
        "ref": "refs/heads/main",
        "timestamp": "2027-01-10T12:00:00Z",
        "activity_type": "push",
        "actor": {"login": "ada"},
    }
    ids = [f"{number:040x}" for number in range(6)]
    log = [push | {"id": n, "before": ids[n], "after": ids[n + 1]} for n in range(5)]
    (folder / "wrong.activity.json").write_text(json.dumps(log))
    done = grade_class(course, folder, out, "--seed", "5", "--jobs", "2")
    return Graded(folder, out, done.stdout, done.stderr)


def scores(out: Path) -> dict[str, float]:
    with open_gradebook(out, must_exist=True) as book:
        return {record.name: record.result.score for record in book.records() if record.result}


def results(out: Path) -> dict[str, Any]:
    with open_gradebook(out, must_exist=True) as book:
        return {one.name: one.result and one.result.model_dump(exclude={"graded_at"}) for one in book.records()}


def gradings(out: Path) -> Counter[str]:
    with open_gradebook(out, must_exist=True) as book:
        return Counter(row.submission for row in book.history() if row.event == "graded")


def test_hostile_hanging_and_unreadable_submissions_cost_nobody_else(graded: Graded) -> None:
    assert scores(graded.out) == SCORES
    with open_gradebook(graded.out) as book:
        assert book.count("sums") == {"graded": 6, "refused": 2}
        assert {record.name for record in book.records() if record.state == "refused"} == {"broken", "empty"}
        assert check(book) == []
    for name, score in SCORES.items():
        assert json.loads((graded.out / "reports" / name / "result.json").read_text())["score"] == score
    assert "6 graded, 0 unchanged, 2 refused, 0 grader's errors" in graded.said
    assert "empty: refused: there is no file in it that can be graded" in graded.errors
    assert "left out, no submissions: roster.csv" in graded.errors


def test_what_was_written_into_the_gaps_is_kept(graded: Graded) -> None:
    with open_gradebook(graded.out) as book:
        works = dict(works_in(book, "sums"))
    assert set(works) == set(SCORES)
    gaps = {gap.label: gap.content for gap in works["good"].gaps}
    assert set(gaps) == {"sums 1", "sums 2"}
    assert gaps["sums 1"].endswith(ADD.replace("\n", "\n    ") + "\n")
    assert gaps["sums 2"].endswith(NOISE.replace("\n", "\n    ") + "\n")


def test_the_activity_log_beside_a_submission_is_its_own(graded: Graded) -> None:
    found = results(graded.out)
    assert next(rule for rule in found["wrong"]["rules"] if rule["id"] == "pushes")["deduction"] == 2
    assert all(rule["deduction"] == 0 for rule in found["good"]["rules"])


def test_only_what_changed_is_graded_again(course: Path, graded: Graded, tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    shutil.copytree(graded.folder, folder)
    shutil.copytree(graded.out, out)
    fixed = folder / "wrong" / "lib" / "adding.py"
    fixed.write_text(fixed.read_text().replace("return a - b", "return a + b"))
    shutil.rmtree(out / "reports" / "good")
    done = grade_class(course, folder, out, "--seed", "5", "--resume", "--jobs", "1")
    assert "1 graded, 5 unchanged, 2 refused" in done.stdout
    assert gradings(out) == Counter([*SCORES, "wrong"])
    assert scores(out)["wrong"] == 4
    assert (out / "reports" / "good" / "summary.md").is_file()


def test_shards_merged_equal_one_run(course: Path, graded: Graded, tmp_path: Path) -> None:
    shards = [tmp_path / "1", tmp_path / "2"]
    for number, out in enumerate(shards, 1):
        grade_class(course, graded.folder, out, "--seed", "5", "--jobs", "1", "--shard", f"{number}/2")
    assert all(0 < len(results(out)) < 8 for out in shards)
    command = [*batch_command(course, graded.folder, tmp_path)[:3], "merge"]
    for order in (shards, shards[::-1]):
        subprocess.run([*command, *map(str, order), "--out", str(tmp_path / "whole")], check=True, capture_output=True)
        assert results(tmp_path / "whole") == results(graded.out)
    assert sorted(path.name for path in (tmp_path / "whole" / "reports").iterdir()) == sorted(SCORES)


def test_a_batch_that_was_stopped_and_then_killed_goes_on_and_grades_nothing_twice(
    course: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    names = {hand_in(course, folder, f"team-{number:02d}", noise=SLOW).name for number in range(10)}
    command = batch_command(course, folder, out)

    stopped = subprocess.Popen([*command, "--jobs", "1"], stderr=subprocess.PIPE, text=True, start_new_session=True)
    _wait_for_results(stopped, out, 2)
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    said = stopped.communicate(timeout=60)[1]
    assert stopped.returncode == 130, said
    first = gradings(out)
    assert 2 <= first.total() < len(names)
    assert f"stopped: {first.total()} of 10 are kept; go on with: python -m grader batch" in said
    assert said.rstrip().endswith("--resume")

    killed = subprocess.Popen([*command, "--jobs", "2"], stderr=subprocess.DEVNULL)
    _wait_for_results(killed, out, first.total() + 3)
    workers = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.wait()
    second = gradings(out)
    assert psutil.wait_procs(workers, timeout=10)[1] == []  # nothing of it grades on

    grade_class(course, folder, out, "--resume", "--jobs", "1")
    assert second.total() < len(names)
    assert gradings(out) == Counter(names)
    assert set(scores(out)) == names
    with open_gradebook(out) as book:
        assert check(book) == []


def _wait_for_results(process: subprocess.Popen[str], out: Path, number: int) -> None:
    end = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < end:
        if (out / "gradebook.sqlite").is_file() and gradings(out).total() >= number:
            return
        time.sleep(0.02)
    pytest.fail(f"the batch did not come to {number} results (exit status {process.poll()})")


def test_a_worker_that_hangs_or_is_killed_is_replaced_and_its_submission_tried_once_more(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Counter[str]()

    class Fragile(Worker):
        def give(self, job: Job, seconds: float) -> None:
            assert self.greeting
            given[job.name] += 1
            frozen = job.name == "doomed" and given[job.name] == 1
            super().give(job, 0.5 if frozen else seconds)
            if frozen:
                os.kill(self.greeting.pid, signal.SIGSTOP)
            elif job.name == "doomed" or (job.name == "unlucky" and given[job.name] == 1):
                os.kill(self.greeting.pid, signal.SIGKILL)

    monkeypatch.setattr(crew, "Worker", Fragile)
    jobs = [Job(name, str(hand_in(course, tmp_path, name))) for name in ("doomed", "unlucky", "quiet")]
    settings = Settings(str(course / "sheets" / "sums"), str(course))
    outcomes = {job.name: outcome for job, outcome in work(jobs, settings, Limits(), 2, Stop())}
    assert {name: outcome.kind for name, outcome in outcomes.items()} == {
        "doomed": "failed",
        "unlucky": "graded",
        "quiet": "graded",
    }
    assert outcomes["doomed"].reason == "its worker was ended by SIGKILL, for the second time"
    assert given == {"doomed": 2, "unlucky": 2, "quiet": 1}


def test_the_last_words_of_a_worker_are_told_also_where_it_had_nothing_to_do(course: Path) -> None:
    nursery = Nursery(Settings(str(course / "sheets" / "sums"), str(course)))
    try:
        worker = Worker(nursery)
        assert worker.hear() is None
        worker.connection.send_bytes(b"no job")
        with pytest.raises(WorkerGone, match=r"its worker ended with status 1 \(.*UnpicklingError: "):
            worker.hear()
        assert nursery.lives
    finally:
        nursery.end()


def test_workers_come_from_one_nursery_and_no_job_is_lost_where_it_is_killed(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurseries: list[psutil.Process] = []

    class Watched(Worker):
        def give(self, job: Job, seconds: float) -> None:
            assert self.greeting
            process = psutil.Process(self.greeting.pid)
            with suppress(psutil.Error):
                nurseries.extend(one for one in process.parents() if "grader.batching.nursery" in one.cmdline())
            super().give(job, seconds)
            if job.name == "fatal" and len(set(nurseries)) == 1:
                nurseries[0].kill()
                process.kill()

    monkeypatch.setattr(crew, "Worker", Watched)
    jobs = [Job(name, str(hand_in(course, tmp_path, name))) for name in ("quick", "fatal", "next")]
    settings = Settings(str(course / "sheets" / "sums"), str(course))
    outcomes = {job.name: outcome.kind for job, outcome in work(jobs, settings, Limits(), 2, Stop())}
    assert outcomes == {"quick": "graded", "fatal": "graded", "next": "graded"}
    assert nurseries[0] == nurseries[1]  # both workers
    assert len(set(nurseries)) == 2  # and one that came when it was killed
    assert psutil.wait_procs(nurseries, timeout=10)[1] == []


@dataclass(frozen=True)
class _Wall:
    mode: str = "nested"

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _Bench:
    """A bench whose walls fail until the given one."""

    sheet: Any
    wall: Any
    sound: _Wall | None
    versions: Any = None

    def look_at(self, _: object) -> Any:
        if self.wall is self.sound:
            return type("Graded", (), {"result": "result", "work": None})
        raise WallError("the sandbox ended")


def test_a_broken_wall_is_replaced_once_by_the_same_kind_and_is_never_a_score(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.wall import choose

    asked, new = [], _Wall("nested")
    monkeypatch.setattr(choose, "choose_wall", lambda mode: asked.append(mode) or new)
    monkeypatch.setattr(job, "key_of", lambda *_: "key")
    monkeypatch.setattr(Station, "_handin", lambda *_: type("Handin", (), {"handed_in_at": None}))
    one = Job("team", str(hand_in(course, tmp_path, "team")))
    settings, sheet = Settings("", "", sandbox="auto"), load_sheet("sums", course)
    assert Station(_Bench(sheet, _Wall(), sound=new), settings).do(one).result == "result"  # type: ignore[arg-type]
    failed = Station(_Bench(sheet, _Wall(), sound=None), settings).do(one)  # type: ignore[arg-type]
    assert failed == Outcome("failed", reason="the sandbox failed twice: the sandbox ended")
    assert asked == ["nested", "nested"]


def test_a_machine_without_the_sandbox_is_refused_with_its_own_status(
    course: Path, graded: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no bubblewrap here
    done = grade_class(course, graded.folder, tmp_path, "--sandbox", "nested", "--jobs", "1", status=3)
    assert "bubblewrap" in done.stderr
    assert gradings(tmp_path) == Counter()


@pytest.mark.parametrize(
    ("more", "reason"),
    [(("--shard", "3/2"), "names no shard"), (("--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler answers")],
)
def test_a_call_that_cannot_be_is_refused_in_one_line(
    course: Path, graded: Graded, tmp_path: Path, more: tuple[str, ...], reason: str
) -> None:
    done = grade_class(course, graded.folder, tmp_path, *more, status=2)
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_again_goes_on_where_it_was_stopped_and_its_command_is_told_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Found(name, tmp_path / name) for name in ("ada", "bob")]
    terms = dict.fromkeys(("ada", "bob"), Terms())
    with open_gradebook(tmp_path) as book:
        for name in ("ada", "bob"):
            book.add_result(name, "old", result(submission=name), 1)
        assert {one.known for one in plan(found, book, "vae", terms)} == {"old"}
        assert {one.known for one in plan(found, book, "vae", terms, again=True)} == {""}
        book.add_result("ada", "new", result(submission="ada", score="3"), 1)
        went_on = plan(found, book, "vae", terms, again=True, resume=True)
        assert {one.name: one.known for one in went_on} == {"ada": "new", "bob": ""}
    monkeypatch.setattr(sys, "argv", ["grader", "batch", "my class", "--again", "--resume", "--seed", "5"])
    assert _same_call() == "python -m grader batch 'my class' --again --seed 5 --resume"


def test_two_batches_do_not_write_into_one_folder(tmp_path: Path) -> None:
    from grader.batch import only_batch

    with only_batch(tmp_path), pytest.raises(BatchError, match="another batch is writing"), only_batch(tmp_path):
        pass


def test_the_process_that_hands_out_work_does_not_carry_torch() -> None:
    code = (
        "import sys, grader.__main__, grader.commands.batch; assert not {'torch', 'pytest', 'dask'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_submission_is_in_exactly_one_shard_whatever_else_is_there() -> None:
    names = [f"team-{number}" for number in range(500)]
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    assert all(sum(shard.holds(name) for shard in shards) == 1 for name in names)
    assert min(sum(shard.holds(name) for name in names) for shard in shards) > 100
    for text in ("0/3", "4/3", "1", "1/0", "-1/3", "a/b"):
        with pytest.raises(BatchError, match="--shard"):
            parse_shard(text)


def test_the_submissions_of_a_folder_have_one_name_each(tmp_path: Path) -> None:
    for name in ("b", "c.git", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("a.tar.gz", "d.ipynb", "b.activity.json", "c.activity.json", "gone.activity.json", "roster.csv"):
        (tmp_path / name).write_text("")
    found, others = find_submissions(tmp_path)
    assert [(one.name, one.activity and one.activity.name) for one in found] == [
        ("a", None),
        ("b", "b.activity.json"),
        ("c", "c.activity.json"),
        ("d", None),
    ]
    assert others == ["roster.csv", "gone.activity.json"]
    (tmp_path / "a.zip").write_text("")
    with pytest.raises(BatchError, match="are both called a"):
        find_submissions(tmp_path)


def test_what_took_longest_comes_first_and_the_unknown_before_it(tmp_path: Path) -> None:
    for name in ("quick", "slow", "new"):
        (tmp_path / name).mkdir()
    found, _ = find_submissions(tmp_path)
    assert [one.name for one in longest_first(found, {"quick": 10, "slow": 900})] == ["new", "slow", "quick"]
