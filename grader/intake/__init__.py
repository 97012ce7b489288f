"""Take in what students hand over: a folder, a repository, an archive or a notebook becomes files in memory.

Nothing of a submission is written to disk, followed or executed; what cannot be read safely is refused by name.
"""

from __future__ import annotations

from pathlib import Path

from grader.intake.archive import SUFFIXES, read_archive
from grader.intake.complete import check_complete
from grader.intake.folder import read_folder, read_regular
from grader.intake.gather import Gathering, IntakeError, Refused, Submission
from grader.intake.git import git_directory, read_commit
from grader.intake.names import shown

__all__ = ["IntakeError", "Refused", "Submission", "check_complete", "take_in"]


def take_in(path: Path, *, ref: str | None = None, name: str | None = None) -> Submission:
    """Read a submission.

    Args:
        path: a folder, a bare repository, a .zip or .tar(.gz, .bz2, .xz) archive, or one notebook.
        ref: a branch, tag or full commit id: the commit's files are read, not those that lie in the folder. A bare
            repository is read at HEAD where it is not given.
        name: what the submission is called; otherwise the file's or folder's name.

    Raises:
        IntakeError: the submission as a whole cannot be used.
    """
    name = name if name is not None else _name(path)
    try:
        return _take_in(path, ref, name)
    except OSError as error:
        where = error.filename or path
        raise IntakeError(f"{name}: {where} cannot be read ({error.strerror}); check who may read it") from None


def _take_in(path: Path, ref: str | None, name: str) -> Submission:
    if path.is_symlink():
        raise IntakeError(f"{name}: {path} is a link; give what it points to")
    if path.is_dir():
        repository = git_directory(path)
        if ref is None and repository != path:
            return read_folder(path, name)
        if repository is None:
            raise IntakeError(f"{name}: {path} holds no repository to read {ref!r} from; clone it, or give no ref")
        return read_commit(repository, "HEAD" if ref is None else ref, name)
    if not path.exists():
        raise IntakeError(f"{name}: {path} does not exist; check the path")
    if path.name.lower().endswith(SUFFIXES) and path.is_file():
        return read_archive(path, name)
    if path.suffix.lower() == ".ipynb" and path.is_file():
        return _read_notebook(path, name)
    kinds = ".zip, .tar, .tar.gz, .tar.bz2, .tar.xz"
    raise IntakeError(f"{name}: {path} is no folder, repository, notebook or archive ({kinds}); hand over one of these")


def _read_notebook(path: Path, name: str) -> Submission:
    gathering = Gathering(name)
    most = gathering.wants(path.name)
    if most is not None:
        try:
            gathering.keep(path.name, read_regular(str(path), most), most)
        except OSError as error:
            gathering.refuse(path.name, error.strerror or str(error))
    return gathering.finish()


def _name(path: Path) -> str:
    """What a submission is called: its folder's or file's name, without an archive's ending or a bare repository's."""
    whole = path.resolve().name
    endings = [ending for ending in (*SUFFIXES, ".ipynb", ".git") if whole.lower().endswith(ending)]
    return shown(whole[: -max(map(len, endings))] if endings else whole) or "submission"
