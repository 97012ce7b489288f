"""Nothing of a solution, of a hidden test, of an answer key or of a catalogue is in what students get."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from gapcheck.cells import NotebookError, read_ipynb
from grader.notebooks import ANSWER, EMPTY_ANSWER
from tools.checks.findings import Finding
from tools.checks.secrets import Secret, gap_secrets, secrets_of, tokens_of
from tools.checks.shown import Shown, load_shown
from tools.checks.subject import Subject

_OURS = {"deletable", "editable", "gapgrade", "tags"}
HISTORY_COMMITS = "2000"


def find_tokens(name: str, text: bytes, secrets: Iterable[Secret], shown: Collection[Shown]) -> Iterator[Finding]:
    """Each secret of which enough tokens in a row stand in the text; told once a secret.

    Args:
        shown: what may stand where, on purpose.
    """
    tokens = tokens_of(text)
    words = tuple(token for token, _ in tokens)
    windows: dict[int, dict[tuple[bytes, ...], int]] = {}
    for secret in secrets:
        if secret.window not in windows:
            starts = range(len(words) - secret.window + 1)
            windows[secret.window] = {words[i : i + secret.window]: i for i in reversed(starts)}
        found = [windows[secret.window][one] for one in secret.windows & windows[secret.window].keys()]
        if found and not any(one.gap == secret.gap and name.endswith(f"/{one.file}") for one in shown):
            line = text.count(b"\n", 0, tokens[min(found)][1]) + 1
            yield Finding(name, line, f"holds a part of {secret.place}", "take it out of what is handed out")


def find_leaks(files: Mapping[str, bytes], subjects: Iterable[Subject], sheet_name: str) -> Iterator[Finding]:
    """What the files of a release give away."""
    subjects = list(subjects)
    secrets = [secret for subject in subjects for secret in secrets_of(subject)]
    allowed = [one for subject in subjects for one in load_shown(subject.exercise.folder)]
    names = {name: place for subject in subjects for name, place in _hidden_names(subject)}
    titles = {title: place for subject in subjects for title, place in _catalogue_words(subject)}
    for path, data in files.items():
        shown = f"student/{sheet_name}/{path}"
        if path.endswith(".ipynb"):
            yield from _notebook(shown, data)
        if path.endswith(".pyc"):
            yield Finding(shown, 0, "is bytecode, which may hold a solution", "delete it")
        if Path(path).name.startswith("answers") and path.endswith(".toml"):
            yield from _answers(shown, data)
        if b"\0" in data[:1024]:
            continue
        text = _readable(path, data)
        yield from find_tokens(shown, text, secrets, allowed)
        words = dict(reversed(tokens_of(text)))
        for name, place in names.items():
            if name.encode() in words:
                line = text.count(b"\n", 0, words[name.encode()]) + 1
                yield Finding(shown, line, f"names {name} of {place}", "do not name hidden tests")
        for title, place in titles.items():
            if title.encode() in text:
                line = text.count(b"\n", 0, text.index(title.encode())) + 1
                yield Finding(shown, line, f"holds words of {place}", "take them out of what is handed out")


def _hidden_names(subject: Subject) -> Iterator[tuple[str, str]]:
    """The files and tests that only the hidden suite has."""
    public = {
        name
        for file in (subject.course / "tests_public" / subject.name).rglob("*.py")
        for name in [file.stem, *_tests_in(file)]
    }
    for file in sorted((subject.course / "tests_hidden" / subject.name).rglob("*.py")):
        place = file.relative_to(subject.course).as_posix()
        yield from ((name, place) for name in [file.stem, *_tests_in(file)] if name not in public)


@functools.lru_cache(maxsize=64)
def _tests_in(file: Path) -> list[str]:
    body = ast.parse(file.read_bytes()).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _catalogue_words(subject: Subject) -> Iterator[tuple[str, str]]:
    """The titles of mistakes and variants."""
    for kind in ("mistakes", "variants"):
        for file in sorted((subject.exercise.folder / kind).glob("*.toml")):
            place = file.relative_to(subject.course).as_posix()
            for entry in tomllib.loads(file.read_text(encoding="utf-8")).get(kind[:-1], []):
                yield str(entry["title"]), place


def _answers(shown: str, data: bytes) -> Iterator[Finding]:
    """An answer box is handed out empty."""
    for row, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        given = re.match(r"\s*[\w.-]+\s*=\s*(?P<value>[^#]*)", line)
        if given and given["value"].strip() not in ('""', "''", "[]"):
            yield Finding(shown, row, "holds an answer", "hand the box out empty")


def _readable(path: str, data: bytes) -> bytes:
    """The sources of a notebook's cells, where a line ends as it does in any file; other files as they are."""
    if not path.endswith(".ipynb"):
        return data
    try:
        return "\n".join(cell.source for cell in read_ipynb(data, path)).encode()
    except NotebookError:
        return data


def _notebook(shown: str, data: bytes) -> Iterator[Finding]:
    try:
        cells = json.loads(data)["cells"]
    except (ValueError, KeyError, TypeError):
        yield Finding(shown, 0, "is no notebook that can be read", "save it again")
        return
    for number, cell in enumerate(cells, 1):
        if cell.get("outputs") or cell.get("execution_count"):
            yield Finding(shown, 0, f"cell {number} has outputs, which may show a solution", "clear all outputs")
        metadata = cell.get("metadata", {})
        if cell.get("attachments") or metadata.keys() - _OURS or metadata.get("gapgrade", {}).keys() - {"cell", "role"}:
            yield Finding(shown, 0, f"cell {number} has metadata, which may hold a key", "clear the metadata")
        role = metadata.get("gapgrade", {}).get("role")
        if role == ANSWER and "".join(cell.get("source", "")) != EMPTY_ANSWER:
            yield Finding(shown, 0, f"cell {number} holds an answer", "hand the cell out empty")


def find_bytecode(release: Path, sheet_name: str) -> Iterator[Finding]:
    """Bytecode that lies in the release's folder: runs leave it there, and a push of the folder may take it along."""
    for file in sorted(release.rglob("*.pyc")):
        shown = f"student/{sheet_name}/{file.relative_to(release).as_posix()}"
        yield Finding(shown, 0, "is bytecode, which may hold a solution", "delete it")


def find_in_history(release: Path, course: Path, subjects: Iterable[Subject]) -> Iterator[Finding]:
    """What the commits of the release's folder once added; a pushed repository shows all of them."""
    subjects = list(subjects)
    secrets = [secret for subject in subjects for secret in gap_secrets(subject)]
    allowed = [one for subject in subjects for one in load_shown(subject.exercise.folder)]
    command = ["git", "-C", str(course), "log", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv"]
    asked = [*command, "-n", HISTORY_COMMITS, "--format=%x00%H", "--", str(release)]
    try:
        log = subprocess.run(asked, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return  # no git, no history
    told = set()
    for commit in log.split(b"\0")[1:]:
        name, _, patch = commit.partition(b"\n")
        for part in re.split(rb"(?m)^diff --git ", patch)[1:]:
            added = b"\n".join(line[1:] for line in part.splitlines() if line[:1] == b"+" and line[:3] != b"+++")
            where = re.search(rb"(?m)^\+\+\+ b/(.*)$", part)
            file = where[1].decode(errors="replace") if where else "?"
            for finding in find_tokens(file, added, secrets, allowed):
                if finding.what not in told:
                    told.add(finding.what)
                    what = f"commit {name.decode()[:10]} {finding.what}"
                    yield Finding(finding.file, 0, what, "push the release as a new repository without this history")
