"""The tests of a sheet: collected once, outside the wall, and run for as many submissions as there are.

pytest runs them and pytest-json-report records them; what touches student code goes through a gate to a cell.
"""

from __future__ import annotations

import hashlib
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from _pytest.assertion import util as explanations
from pytest_jsonreport.plugin import Hooks as RecorderHooks
from pytest_jsonreport.plugin import JSONReport

from gapcheck import plugin as gapcheck_plugin
from gapcheck.plugin import derive_seed
from gapcheck.probe import ProbeError, ProbeFailure, through
from grader import GapgradeError
from grader.result import TestResult
from grader.sheet import Sheet
from grader.wall import Call, Cell, Failure, WallError

T = TypeVar("T")
Visibility = Literal["public", "hidden"]
OPTIONS = tuple(
    (
        "--disable-plugin-autoload -p pytest_jsonreport.plugin -p pytest_metadata.plugin "
        "-p no:terminalreporter -p no:cacheprovider -p no:faulthandler -p no:logging "
        "-p no:junitxml -p no:pastebin -p no:doctest --import-mode=importlib --strict-markers --tb=short "
        "--capture=sys --json-report-file=none "
        "--json-report-omit collectors log streams warnings keywords traceback"
    ).split()
)


class SuiteError(GapgradeError):
    """Tests that cannot be collected: file, line, and what to change."""


@dataclass(frozen=True)
class Planned:
    """A test that every submission gets a result for.

    Attributes:
        shares: its probes' calls may share a process with those of other tests that have the same name here.
    """

    id: str
    title: str
    group: str
    hint: str
    weight: int
    visibility: Visibility
    shares: str = ""


class Gate:
    """Sends the probes of one submission's tests to its cell, within the submission's time."""

    def __init__(self, cell: Cell, seed: int, seconds: float) -> None:
        self._cell, self._seed, self._seconds = cell, seed, seconds
        self._deadline = time.monotonic() + seconds
        self._test, self._calls, self._shared = "", 0, ""
        self.used = False
        self.lost: WallError | None = None

    def enter(self, test: str, shared: str = "") -> None:
        """Calls from here on belong to this test.

        Args:
            shared: they may come after calls of the same name in one process; `used` tells whether one did.
        """
        self._test, self._calls, self._shared, self.used = test, 0, shared, False

    def call(self, source: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if time.monotonic() > self._deadline:
            raise ProbeFailure("timeout", f"the submission's {self._seconds:g} s were used up before this test")
        self._calls += 1
        seed = derive_seed(self._seed, f"{self._test}#{self._calls}")
        try:
            answer = self._cell.call(Call(source, function, args, kwargs, seed, self._shared))
        except WallError as error:
            self.lost = error
            raise
        self.used |= answer.used
        if isinstance(answer, Failure):
            raise ProbeFailure(answer.kind, answer.message, answer.detail + _as_section(answer.output))
        return answer.value


def _as_section(output: str) -> str:
    return f"\n--- output ---\n{output}" if output else ""


class Suite:
    """A sheet's collected tests. Made by `with_suite`."""

    def __init__(self, session: pytest.Session, sheet: Sheet) -> None:
        self._session, self._config = session, session.config
        folders = sheet.test_folders()
        sharing = {folder for folder in folders if shares_process(sheet.course / "solutions" / folder.name)}
        self._items = list(session.items)
        self.planned = [_plan(item, folders, sharing) for item in self._items]
        self.groups = {planned.id: planned.group for planned in self.planned}

    def run(self, gate: Gate, seed: int, only: Collection[str] | None = None) -> list[TestResult]:
        """Run every test against the submission behind the gate; one result per planned test.

        A test that fails in a process that had answered other tests before is run again in processes of its own, and
        that counts: what one call leaves behind never costs points.

        Args:
            only: the ids of the tests to run, where not all are wanted; a test draws the same data either way.

        Raises `WallError` where the wall itself failed: that is no score.
        """
        pairs = zip(self._items, self.planned, strict=True)
        chosen = [(item, planned) for item, planned in pairs if only is None or planned.id in only]
        results, again = self._run(chosen, gate, seed)
        if again:
            alone = [(item, replace(planned, shares="")) for item, planned in chosen if planned.id in again]
            results |= self._run(alone, gate, seed)[0]
        return list(results.values())

    def _run(
        self, chosen: Sequence[tuple[pytest.Item, Planned]], gate: Gate, seed: int
    ) -> tuple[dict[str, TestResult], set[str]]:
        """The results by test id, and which tests failed in a process that was used before."""
        self._config.option.seed = seed
        recorder = _Recorder(self._config)
        recorder.pytest_sessionstart(self._session)
        self._config.pluginmanager.register(recorder, "gapgrade-recorder")
        ran, used = [], set()
        try:
            with through(gate):
                followers = [*(item for item, _ in chosen[1:]), None]
                for (item, planned), following in zip(chosen, followers, strict=True):
                    gate.enter(planned.id, planned.shares)
                    item._report_sections.clear()
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if gate.lost is not None:
                        raise gate.lost
                    ran.append((planned, item.nodeid))
                    if gate.used:
                        used.add(planned.id)
        finally:
            self._unregister(recorder)
            vars(self._config).pop("_json_report", None)  # the plugin would unregister it again at the end
            self._session.testsfailed = 0
        recorder.pytest_sessionfinish(self._session)
        recorded = {test["nodeid"]: test for test in recorder.report["tests"]}
        results = {planned.id: _result(planned, recorded.get(node)) for planned, node in ran}
        return results, {test for test in used if results[test].outcome != "passed"}

    def _unregister(self, recorder: _Recorder) -> None:
        """Let go of a recorder. pluggy remembers every registration, for plugins to come, and the plugin with it."""
        self._config.pluginmanager.unregister(recorder)
        remembered = self._config.hook.pytest_plugin_registered._call_history or []
        remembered[:] = [call for call in remembered if call[0].get("plugin") is not recorder]


def shares_process(exercise: Path) -> bool:
    """What `share_process` in the folder's `exercise.toml` says; where nothing does, every call is alone."""
    file = exercise / "exercise.toml"
    try:
        return file.is_file() and tomllib.loads(file.read_text(encoding="utf-8")).get("share_process") is True
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file}: {error}") from None


def _plan(item: pytest.Item, folders: dict[Path, Visibility], sharing: Collection[Path]) -> Planned:
    mark = item.get_closest_marker("task")
    if mark is None:
        raise SuiteError(f"{item.path}: {item.name} has no @task; name the group that it counts for")
    file = item.path.resolve()
    folder = next(folder for folder in folders if file.is_relative_to(folder.resolve()))
    inside = file.relative_to(folder.resolve()).as_posix()
    name = f"{folder.parent.name}/{folder.name}/{inside}::{item.name}"
    facts = mark.kwargs
    shares = folder.name if folder in sharing else ""
    return Planned(name, facts["title"], facts["group"], facts["hint"], facts["weight"], folders[folder], shares)


def _result(planned: Planned, recorded: dict[str, Any] | None) -> TestResult:
    outcome, message, staff = _judge(recorded)
    shown = message if planned.visibility == "public" else ""
    return TestResult(
        id=planned.id,
        title=planned.title,
        visibility=planned.visibility,
        outcome=outcome,
        weight=planned.weight,
        hint=planned.hint,
        message=shown,
        staff=staff,
    )


def _judge(recorded: dict[str, Any] | None) -> tuple[Any, str, str]:
    if recorded is None:
        return "error", "the test left no result", "the test left no result"
    if recorded["outcome"] == "passed":
        return "passed", "", ""
    failure = recorded.get("metadata", {}).get("failure")
    trace = "\n".join(str(recorded.get(when, {}).get("longrepr", "")) for when in ("setup", "call", "teardown")).strip()
    if failure is None:  # skipped, or failed in a way that left no exception: never a pass
        return "error", "the test could not be run", trace or f"outcome {recorded['outcome']}"
    return failure["outcome"], failure["message"], f"{failure['message']}\n{failure['detail'] or trace}".strip()


class _Recorder(JSONReport):  # type: ignore[misc]  # pytest-json-report has no types
    """pytest-json-report's own recorder, made anew for each submission of one session."""

    def pytest_addhooks(self, pluginmanager: pytest.PytestPluginManager) -> None:
        """`_Hooks` has declared them, once for the session."""


class _Hooks:
    """What this module adds to the pytest session."""

    def __init__(self, work: Callable[[pytest.Session], None]) -> None:
        self._work = work
        self.problem: BaseException | None = None
        self.collection: list[str] = []

    def pytest_addhooks(self, pluginmanager: pytest.PytestPluginManager) -> None:
        pluginmanager.add_hookspecs(RecorderHooks)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collection.append(str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            if self.collection:
                raise SuiteError("the tests cannot be collected:\n" + "\n".join(self.collection))
            self._work(session)
        except BaseException as error:  # pytest would turn it into its own kind of report
            self.problem = error
        return True

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Leave out pytest's comparison of the two sides of `==`: student code can make it take hours."""
        before, explanations._reprcompare = explanations._reprcompare, None
        try:
            return (yield)
        finally:
            explanations._reprcompare = before

    def pytest_json_runtest_metadata(self, item: pytest.Item, call: pytest.CallInfo[None]) -> dict[str, Any]:
        if call.excinfo is None:
            return {}
        error = call.excinfo.value
        if isinstance(error, ProbeFailure):
            failure = {"outcome": error.kind, "message": error.message, "detail": error.detail}
        elif isinstance(error, AssertionError):
            failure = {"outcome": "failed", "message": str(error), "detail": ""}
        else:
            message = "the test could not look at what the code returned"
            failure = {"outcome": "error", "message": message, "detail": f"{type(error).__name__}: {error}"}
        return {"failure": failure}


def with_suite(sheet: Sheet, work: Callable[[Suite], T]) -> T:
    """Collect the sheet's tests once and call `work` with them; what it returns or raises comes back."""
    result: list[T] = []
    hooks = _Hooks(lambda session: result.append(work(Suite(session, sheet))))
    folders = [str(folder) for folder in sheet.test_folders()]
    if not folders:
        raise SuiteError(f"{sheet.folder / 'sheet.toml'}: none of its exercises has tests")
    arguments = [*OPTIONS, "-c", "/dev/null", "--rootdir", str(sheet.course), *folders]
    try:
        status = pytest.main(arguments, plugins=[hooks, gapcheck_plugin])
    finally:
        _forget(sheet)
    if hooks.problem is not None:
        if isinstance(hooks.problem, ProbeError):
            raise SuiteError(str(hooks.problem)) from None
        raise hooks.problem
    if hooks.collection:
        raise SuiteError("the tests cannot be collected:\n" + "\n".join(hooks.collection))
    if not result:
        raise SuiteError(f"pytest collected no tests in {', '.join(folders)} (exit status {int(status)})")
    return result[0]


def _forget(sheet: Sheet) -> None:
    """Unload the test modules: another course's files of the same names would be taken for them."""
    folders = [folder.resolve() for folder in sheet.test_folders()]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and any(Path(file).resolve().is_relative_to(folder) for folder in folders):
            del sys.modules[name]


def tests_version(sheet: Sheet) -> str:
    """The digest of everything that decides what the tests say: the suites and their vocabulary."""
    vocabulary = Path(gapcheck_plugin.__file__).parent
    return digest_of([*sheet.test_folders(), vocabulary])


def digest_of(folders: Sequence[Path]) -> str:
    """`sha256:...` over the names and contents of all files, in a fixed order."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                digest.update(f"{folder.name}/{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
                digest.update(content)
    return f"sha256:{digest.hexdigest()}"
