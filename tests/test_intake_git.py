"""Repositories that strangers filled: real ones, made here with git."""

from __future__ import annotations

import os
import shutil
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

import pytest

from grader.intake import IntakeError, take_in

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "model.py").write_bytes(b"x = 1\r\n")
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder


@pytest.fixture
def git(repository: Path) -> Git:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(repository.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }

    def run(*arguments: str, stdin: bytes = b"") -> str:
        command = ["git", "-C", str(repository), "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    commit(run)
    return run


def commit(git: Git) -> str:
    git("add", "-A", "-f")
    git("commit", "-q", "-m", "work")
    return git("rev-parse", "HEAD")


def test_a_commit_is_read_and_not_what_lies_in_the_folder(repository: Path, git: Git) -> None:
    first = git("rev-parse", "HEAD")
    (repository / "lib" / "model.py").write_text("x = 2\n")
    (repository / "new.py").write_text("")
    for ref in ("main", "HEAD", "refs/heads/main", first):
        submission = take_in(repository, ref=ref)
        assert submission.files == {"lib/model.py": b"x = 1\r\n"}
        assert submission.commit == first
    in_the_folder = take_in(repository)
    assert in_the_folder.files == {"lib/model.py": b"x = 2\n", "new.py": b""}
    assert in_the_folder.commit is None


def test_a_bare_repository_is_read_at_head_also_when_it_is_packed(repository: Path, git: Git, tmp_path: Path) -> None:
    bare = tmp_path / "team-7.git"
    git("clone", "-q", "--bare", str(repository), str(bare))
    subprocess.run(["git", "-C", str(bare), "gc", "-q"], check=True)
    assert not (bare / "refs" / "heads" / "main").exists()
    submission = take_in(bare)
    assert (submission.name, list(submission.files)) == ("team-7", ["lib/model.py"])


def test_branches_go_before_tags_and_annotated_tags_are_peeled(repository: Path, git: Git) -> None:
    first = git("rev-parse", "HEAD")
    git("tag", "-a", "-m", "handed in", "v1")
    (repository / "b.py").write_text("")
    second = commit(git)
    git("tag", "main", first)
    git("update-ref", "refs/remotes/origin/dev", first)
    assert take_in(repository, ref="v1").commit == first
    assert take_in(repository, ref="main").commit == second
    assert take_in(repository, ref="dev").commit == first


def test_nothing_in_a_repository_runs_programs(repository: Path, git: Git, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    touch = f"touch {canary}"
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil ident export-subst\n")
    (repository / "id.py").write_text("# $Id$\n")
    commit(git)
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.gitProxy", "core.askPass",
        "core.alternateRefsCommand", "filter.evil.smudge", "filter.evil.clean", "filter.evil.process",
        "diff.evil.textconv", "diff.external", "alias.ls-tree", "alias.cat-file", "pager.ls-tree", "pager.cat-file",
        "uploadpack.packObjectsHook", "credential.helper", "gpg.program", "remote.origin.uploadpack",
    ):  # fmt: skip
        git("config", key, f"!{touch}" if key.startswith("alias") else touch)
    git("config", "remote.origin.url", f"ext::{touch}")
    git("config", "remote.origin.promisor", "true")
    git("config", "extensions.partialClone", "origin")
    git("config", "core.repositoryFormatVersion", "1")
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / hook).write_text(f"#!/bin/sh\n{touch}\n")
        (hooks / hook).chmod(0o755)
    before = _state(repository)
    submission = take_in(repository, ref="main")
    assert submission.files["lib/model.py"] == b"x = 1\r\n"
    assert submission.files["id.py"] == b"# $Id$\n"
    assert _state(repository) == before
    missing = git("rev-parse", "main:id.py")
    (repository / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    assert "id.py" not in take_in(repository, ref="main").files  # a promised object is not fetched
    assert not canary.exists()
    with suppress(subprocess.CalledProcessError):
        git("status")
    assert canary.exists()  # the trap is a real one


def _state(folder: Path) -> list[tuple[str, int]]:
    return [(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")]


def test_a_configuration_that_git_itself_would_not_read_is_no_obstacle(repository: Path, git: Git) -> None:
    head = git("rev-parse", "HEAD")
    (repository / ".git" / "config").write_text("[core\n")
    assert take_in(repository, ref="main").commit == head


@pytest.mark.parametrize(
    "branch", ["--upload-pack=touch canary", "-h", "--all", "main;touch canary", "$(touch canary)"]
)
def test_a_ref_that_looks_like_an_option_or_a_command_is_only_a_name(
    repository: Path, git: Git, branch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IntakeError, match=r"name of a branch or tag|there is no branch, tag or commit"):
        take_in(repository, ref=branch)
    if " " not in branch:
        head = git("rev-parse", "HEAD")
        (repository / ".git" / "refs" / "heads" / branch).write_text(head + "\n")
        assert take_in(repository, ref=branch).commit == head
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "ref", ["../../secret", "refs/../../secret", "main:lib", "main^{tree}", "@{-1}", "", "a\0b", "/"]
)
def test_a_ref_never_leads_out_of_the_repository(repository: Path, git: Git, ref: str) -> None:
    (repository.parent / "secret").write_text(git("rev-parse", "HEAD"))
    with pytest.raises(IntakeError, match="is no name of a branch or tag"):
        take_in(repository, ref=ref)


@pytest.mark.parametrize("ref", ["gone", "0" * 40, "loop", "tree", "lib" * 100])
def test_a_ref_without_a_commit_is_refused(repository: Path, git: Git, ref: str) -> None:
    heads = repository / ".git" / "refs" / "heads"
    (heads / "loop").write_text("ref: refs/heads/loop\n")
    (heads / "tree").write_text(git("rev-parse", "main^{tree}"))
    with pytest.raises(IntakeError, match=r"team: .*; (push|fetch) it, or name another"):
        take_in(repository, ref=ref)


def test_links_submodules_and_large_files_are_refused_by_name(repository: Path, git: Git) -> None:
    (repository / "stolen.py").symlink_to("/etc/passwd")
    (repository / "long.py").write_bytes(bytes(1024**2 + 1))
    (repository / "plot.png").write_bytes(b"")
    (repository / "lfs.py").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    commit(git)
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},sub")
    git("commit", "-q", "-m", "submodule")
    submission = take_in(repository, ref="main")
    assert list(submission.files) == ["lib/model.py"]
    assert submission.skipped == ("plot.png",)
    assert [(one.file, one.reason.split(";")[0]) for one in submission.refused] == [
        ("lfs.py", "it is a Git LFS pointer, not the file"),
        ("long.py", "it is larger than 1 MiB"),
        ("stolen.py", "it is a link"),
        ("sub", "it is a submodule"),
    ]


def test_a_large_file_is_refused_before_it_is_read(repository: Path, git: Git) -> None:
    (repository / "long.py").write_bytes(bytes(60 * 1024**2))
    commit(git)
    tracemalloc.start()
    assert take_in(repository, ref="main").refused[0].reason == "it is larger than 1 MiB"
    assert tracemalloc.get_traced_memory()[1] < 30 * 1024**2
    tracemalloc.stop()


def test_names_that_only_a_tree_can_hold_are_refused(repository: Path, git: Git) -> None:
    blob = git("hash-object", "-w", "--stdin", stdin=b"evil").encode()
    good = git("hash-object", "-w", "--stdin", stdin=b"good").encode()
    entries = b"".join(
        b"100644 " + name + b"\0" + bytes.fromhex(object_id.decode())
        for name, object_id in [(b"..", blob), (b"../a.py", blob), (b"caf\xe9.py", blob), (b"ok.py", good)]
    )
    _commit_tree(git, _write_object(repository, b"tree", entries))
    submission = take_in(repository, ref="main")
    assert submission.files == {"ok.py": b"good"}
    assert [one.file for one in submission.refused] == ["..", "../a.py", "caf\\udce9.py"]


def test_a_few_objects_that_make_ten_billion_files_are_refused(repository: Path, git: Git) -> None:
    inner, mode = git("hash-object", "-w", "--stdin", stdin=b""), b"100644"
    for _ in range(10):
        entries = b"".join(mode + b" d%d\0" % i + bytes.fromhex(inner) for i in range(10))
        inner, mode = _write_object(repository, b"tree", entries), b"40000"
    _commit_tree(git, inner)
    with pytest.raises(IntakeError, match="the commit holds too many files to list; leave out data"):
        take_in(repository, ref="main")


def test_a_commit_whose_folder_is_missing_is_refused_and_not_graded_in_part(repository: Path, git: Git) -> None:
    tree = git("rev-parse", "main:lib")
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(IntakeError, match="a folder of the commit is missing or broken"):
        take_in(repository, ref="main")


def test_a_file_whose_bytes_are_missing_is_refused_by_name(repository: Path, git: Git) -> None:
    (repository / "b.py").write_text("")
    commit(git)
    blob = git("rev-parse", "main:lib/model.py")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    submission = take_in(repository, ref="main")
    assert list(submission.files) == ["b.py"]
    assert "missing from the repository" in submission.refused[0].reason


def test_replaced_and_grafted_commits_do_not_count(repository: Path, git: Git) -> None:
    head = git("rev-parse", "HEAD")
    (repository / "lib" / "model.py").write_text("forged\n")
    commit(git)
    git("replace", head, "HEAD")
    assert take_in(repository, ref=head).files == {"lib/model.py": b"x = 1\r\n"}


@pytest.mark.parametrize("how", ["alternates", "link", "folder link", "git file", "git link"])
def test_a_repository_that_reaches_out_of_itself_is_refused(
    repository: Path, git: Git, how: str, tmp_path: Path
) -> None:
    objects = repository / ".git" / "objects"
    elsewhere = tmp_path / "elsewhere"
    if how == "alternates":
        (objects / "info").mkdir(exist_ok=True)
        (objects / "info" / "alternates").write_text("/srv/solutions/.git/objects\n")
    elif how == "link":
        (objects / "pack" / "pack-1.pack").symlink_to("/srv/solutions.pack")
    elif how == "folder link":
        objects.rename(elsewhere)
        objects.symlink_to(elsewhere)
    else:
        (repository / ".git").rename(elsewhere)
        if how == "git file":
            (repository / ".git").write_text(f"gitdir: {elsewhere}\n")
        else:
            (repository / ".git").symlink_to(elsewhere)
    with pytest.raises(IntakeError, match=r"alternates|link|holds no repository"):
        take_in(repository, ref="main")
    assert list(take_in(repository).files) == ["lib/model.py"]  # as a folder it is still one


def test_a_folder_that_poses_as_a_bare_repository_is_only_read(repository: Path, git: Git, tmp_path: Path) -> None:
    posing = tmp_path / "posing"
    shutil.copytree(repository / ".git", posing)
    (posing / "config").write_text(f"[core]\n\tbare = true\n\tfsmonitor = touch {tmp_path / 'canary'}\n")
    assert list(take_in(posing).files) == ["lib/model.py"]
    assert not (tmp_path / "canary").exists()


def test_a_repository_of_the_longer_ids_is_read(tmp_path: Path, repository: Path, git: Git) -> None:
    shutil.rmtree(repository / ".git")
    git("init", "-q", "-b", "main", "--object-format=sha256")
    head = commit(git)
    assert len(head) == 64
    assert take_in(repository, ref="main").commit == head


def test_a_git_that_hangs_is_ended_and_said_so(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 100\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for module in ("git", "gather"):
        monkeypatch.setattr(f"grader.intake.{module}.MAX_SECONDS", 0.5)
    with pytest.raises(IntakeError, match="takes longer than"):
        take_in(repository, ref="main")


def _write_object(repository: Path, kind: bytes, data: bytes) -> str:
    """Store an object that git's own commands would refuse to make."""
    stored = kind + b" %d\0" % len(data) + data
    object_id = sha1(stored).hexdigest()
    file = repository / ".git" / "objects" / object_id[:2] / object_id[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(stored))
    return object_id


def _commit_tree(git: Git, tree: str) -> None:
    git("update-ref", "refs/heads/main", git("commit-tree", "-m", "work", tree))
