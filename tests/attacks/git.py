"""Git and CI: a stranger's repository is read as objects; its settings, hooks and filters are never looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from grader.intake import IntakeError, Submission, take_in
from tests.attacks.kinds import Attack, NotHere, Outside


def _git_is_here() -> str:
    return "" if shutil.which("git") else "git is not installed"


class Repository:
    """A team's repository with one commit on `main`."""

    def __init__(self, folder: Path) -> None:
        self.path, self.ran = folder / "team", folder / "ran"
        (self.path / "lib").mkdir(parents=True)
        (self.path / "lib" / "target.py").write_bytes(b"x = 1\r\n")
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *arguments: str, data: bytes = b"") -> str:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.path.parent), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], env=environment, input=data, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def commit(self) -> str:
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "work")
        return self.git("rev-parse", "HEAD")

    def program(self) -> str:
        """The path of a program that leaves a trace when it runs."""
        path = self.path.parent / "program.sh"
        path.write_text(f"#!/bin/sh\ntouch {self.ran}\ncat\n")
        path.chmod(0o755)
        return str(path)


def _unaffected(id_: str, row: str, prepare: Callable[[Repository], object], letter: str = "N") -> Outside:
    """Nothing runs, and the committed bytes are what is read, from the folder and from the branch."""

    def check(folder: Path) -> str:
        team = Repository(folder)
        prepare(team)
        for ref in ("main", None):
            files = take_in(team.path, ref=ref).files
            if files.get("lib/target.py") != b"x = 1\r\n":
                return f"at {ref} it read {files.get('lib/target.py')!r}"
        return "a program of the repository ran" if team.ran.exists() else ""

    return Outside(id_, row, letter, check, here=_git_is_here)  # type: ignore[arg-type]


def _refused(id_: str, row: str, prepare: Callable[[Repository], str], words: str) -> Outside:
    """The ref that `prepare` returns is refused with these words."""

    def check(folder: Path) -> str:
        team = Repository(folder)
        ref = prepare(team)
        try:
            found = take_in(team.path, ref=ref)
        except IntakeError as error:
            return "" if words in str(error) and not team.ran.exists() else str(error)
        told = " ".join(f"{one.file}: {one.reason}" for one in found.refused)
        return "" if words in told else f"it read {sorted(found.files)} and refused {told!r}"

    return Outside(id_, row, "R", check, here=_git_is_here)


def _hooks(team: Repository) -> None:
    for name in ("post-checkout", "post-index-change", "pre-auto-gc", "reference-transaction", "post-merge"):
        hook = team.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        shutil.copy(team.program(), hook)


def _settings(team: Repository) -> None:
    program = team.program()
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "core.editor", "core.askPass",
                "filter.x.smudge", "filter.x.clean", "filter.x.process", "diff.x.textconv", "credential.helper",
                "alias.ls-tree", "alias.cat-file", "uploadpack.packObjectsHook", "gpg.program"):  # fmt: skip
        team.git("config", key, program)


def _attributes(team: Repository) -> None:
    attributes = "* filter=x diff=x text=auto eol=lf export-subst working-tree-encoding=UTF-16 ident\n"
    blob = team.git("hash-object", "-w", "--stdin", data=attributes.encode())
    team.git("update-index", "--add", "--cacheinfo", f"100644,{blob},.gitattributes")
    tree = team.git("write-tree")
    team.git("update-ref", "refs/heads/main", team.git("commit-tree", tree, "-p", "HEAD", "-m", "attributes"))
    for file in (team.path / ".gitattributes", team.path / ".git" / "info" / "attributes"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(attributes)
    _settings(team)


def _included(team: Repository) -> None:
    (team.path / "evil.cfg").write_text(f"[core]\n\tfsmonitor = {team.program()}\n")
    team.git("config", "include.path", "../evil.cfg")
    team.git("config", "core.worktree", "/etc")


def _embedded(team: Repository) -> None:
    """A bare repository among the files, whose settings git would obey in that folder."""
    bare = team.path / "lib" / "bare"
    for folder in ("objects", "refs"):
        (bare / folder).mkdir(parents=True)
        (bare / folder / "x.txt").write_text("x")
    (bare / "HEAD").write_text("ref: refs/heads/main\n")
    (bare / "config").write_text(f"[core]\n\tbare = true\n\tfsmonitor = {team.program()}\n")
    team.commit()


def _replaced(team: Repository) -> None:
    other = team.git("hash-object", "-w", "--stdin", data=b"x = 2\n")
    team.git("replace", team.git("rev-parse", "HEAD:lib/target.py"), other)


def _grafted(team: Repository) -> None:
    (team.path / ".git" / "info").mkdir(exist_ok=True)
    (team.path / ".git" / "info" / "grafts").write_text("0" * 40 + "\n")


def _entry(team: Repository, mode: str, content: bytes, path: str) -> str:
    """A branch whose tree holds an entry that no folder could."""
    blob = team.git("hash-object", "-w", "--stdin", data=content)
    blob = team.git("rev-parse", "HEAD") if mode == "160000" else blob
    good = team.git("rev-parse", "HEAD:lib/target.py")
    tree = team.git(
        "mktree",
        data=f"{mode} {'commit' if mode == '160000' else 'blob'} {blob}\t{path}\n100644 blob {good}\tz.py\n".encode(),
    )
    team.git("update-ref", "refs/heads/odd", team.git("commit-tree", tree, "-m", "x"))
    return "odd"


def _dot_git_entry(team: Repository) -> str:
    import hashlib
    import zlib

    blob = bytes.fromhex(team.git("rev-parse", "HEAD:lib/target.py"))
    data = b"100644 ..\0" + blob + b"100644 z.py\0" + blob
    whole = f"tree {len(data)}\0".encode() + data
    name = hashlib.sha1(whole).hexdigest()
    place = team.path / ".git" / "objects" / name[:2] / name[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(zlib.compress(whole))
    team.git("update-ref", "refs/heads/odd", team.git("commit-tree", name, "-m", "x"))
    return "odd"


def _alternates(team: Repository) -> str:
    info = team.path / ".git" / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text("/etc\n")
    return "main"


def _linked_objects(team: Repository) -> str:
    (team.path / ".git" / "objects" / "zz").symlink_to("/etc")
    return "main"


def _linked_ref(team: Repository) -> str:
    secret = team.path.parent / "secret"
    secret.write_text(team.git("rev-parse", "HEAD") + "\n")
    (team.path / ".git" / "refs" / "heads" / "odd").symlink_to(secret)
    return "odd"


def _tree_bomb(team: Repository) -> str:
    """Ten folders of ten folders, ten deep: a few objects that list ten thousand million files."""
    blob = team.git("rev-parse", "HEAD:lib/target.py")
    tree = team.git("mktree", data="".join(f"100644 blob {blob}\tf{i}.py\n" for i in range(10)).encode())
    for _ in range(9):
        tree = team.git("mktree", data="".join(f"040000 tree {tree}\td{i}\n" for i in range(10)).encode())
    team.git("update-ref", "refs/heads/odd", team.git("commit-tree", tree, "-m", "x"))
    return "odd"


def _large_blob(team: Repository) -> str:
    return _entry(team, "100644", b"#" * 3_000_000, "large.py")


def _branch_like_option(team: Repository) -> str:
    team.git("update-ref", "refs/heads/--upload-pack=touch", "HEAD")
    return "--upload-pack=touch ran"


def _tag_called_main(folder: Path) -> str:
    team = Repository(folder)
    first = team.git("rev-parse", "HEAD")
    (team.path / "lib" / "target.py").write_bytes(b"x = 2\n")
    second = team.commit()
    team.git("tag", "main", first)
    found: Submission = take_in(team.path, ref="main")
    return "" if found.commit == second else "the tag hid the branch"


def _forged_date(folder: Path) -> str:
    team = Repository(folder)
    team.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "early", "--date", "2001-01-01T00:00:00")
    found = take_in(team.path, ref="main")
    return "" if not any("date" in name for name in vars(found)) else "a commit's date is used"


ATTACKS: tuple[Attack, ...] = (
    _unaffected("hooks", "hooks", _hooks),
    _unaffected("settings", "core.fsmonitor and every setting that names a program", _settings),
    _unaffected("included-settings", "settings included from a committed file", _included),
    _unaffected("attributes", "filters, diff drivers, export-subst and encodings of .gitattributes", _attributes),
    _unaffected("embedded-bare", "an embedded bare repository", _embedded),
    _unaffected("replacements", "replaced objects", _replaced),
    _unaffected("grafts", "grafted history", _grafted),
    _refused("submodule", "a submodule", lambda team: _entry(team, "160000", b"x", "module"), "submodule"),
    _refused("link", "a link in a commit", lambda team: _entry(team, "120000", b"/etc/passwd", "link.py"), "link"),
    _refused("parent-entry", "a tree entry called ..", _dot_git_entry, "folder"),
    _refused(
        "reserved-entry",
        "a tree entry that Windows reserves",
        lambda team: _entry(team, "100644", b"x", "aux.py"),
        "Windows",
    ),
    _refused("large-blob", "a file of 3 MB in a commit", _large_blob, "MiB"),
    _refused(
        "lfs-pointer",
        "a Git LFS pointer in a commit",
        lambda team: _entry(team, "100644", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "w.md"),
        "LFS",
    ),
    _refused("tree-bomb", "a tree of ten thousand million files", _tree_bomb, "too many files"),
    _refused("alternates", "objects borrowed from elsewhere on the machine", _alternates, "alternates"),
    _refused("linked-objects", "an object folder that is a link", _linked_objects, "link"),
    _refused("linked-ref", "a branch that is a link", _linked_ref, "no branch"),
    _refused(
        "option-as-branch", "a branch whose name looks like an option", _branch_like_option, "no name of a branch"
    ),
    _refused("ref-outside", "a branch name that leads out", lambda team: "../../../etc/passwd", "no name of a branch"),
    Outside("tag-called-main", "a tag that hides the branch", "N", _tag_called_main, here=_git_is_here),
    Outside("forged-dates", "forged dates of commits", "N", _forged_date, here=_git_is_here),
    NotHere(
        "edited-workflow",
        "an edited workflow, tests or points",
        "N",
        "forge/own-tests: graded from the instructors' copy",
    ),
    NotHere(
        "push-count",
        "a push count that is inflated or hidden",
        "N",
        "tests/test_pushes.py: counted from the server's activity",
    ),
    NotHere(
        "force-push", "a force push after the deadline", "N", "needs a host: the recorded commit is what is fetched"
    ),
    NotHere(
        "forged-check", "a forged check run", "N", "needs a host: the score that counts never comes from a check run"
    ),
)
