"""The command line of a bubblewrap sandbox: what student code can see of this machine, and as whom.

Only these are mounted, each read-only and under a neutral name: the system's libraries (`/usr`), the interpreter
(`/python`), the installed packages (`/packages`) and the sandbox's own server (`/server`). Home directories, tests,
sheets and other submissions are not there at all.

Started by root, bubblewrap runs twice: once as root, which only narrows the file tree, so that the second, unprivileged
one can reach an interpreter in root's home; everything below runs as `nobody`, in a user namespace that `nobody` owns.

No mountpoint lies under a path that a student controls: bubblewrap makes all of them before any student code is there,
in a new root that it alone writes, and for sources that are the installer's own; a submission is never mounted but
written into an empty file system afterwards. So links in a submission lead no mount astray.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import sysconfig
from pathlib import Path, PurePosixPath

from grader import UnsafeError
from grader.wall.contents import server_files

NOBODY = "65534"
SYSTEM_LINKS = ("bin", "lib", "lib32", "lib64", "sbin")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LD_LIBRARY_PATH": "/python/lib",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def find_bubblewrap() -> str:
    """The path of a bubblewrap that can be trusted; raises `UnsafeError`."""
    path = shutil.which("bwrap")
    if path is None:
        raise UnsafeError("bubblewrap is not installed; on Debian and Ubuntu run: sudo apt-get install bubblewrap")
    if os.stat(path).st_mode & stat.S_ISUID:
        raise UnsafeError(
            f"{path} is setuid root, which gives student code a privileged program; run: sudo chmod u-s {path}"
        )
    return path


def command(server: str) -> list[str]:
    """The whole command line that starts `/server/<server>` in a sandbox of its own."""
    bwrap = find_bubblewrap()
    python = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    program = [python, "-I", "-S", f"/server/{server}", "/packages"]
    sources = _neutral()
    if os.geteuid() != 0:
        return [bwrap, *_namespaces(), *_mounts(sources, root=False), *_environment(), *program]
    narrow = [bwrap, "--die-with-parent", *_mounts(sources, root=True)]
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    inner = [bwrap, *_namespaces(), *_mounts({name: name for name in sources}, root=False), *_environment()]
    return [*narrow, *as_nobody, *inner, *program]


def _neutral() -> dict[str, str]:
    """Names inside, and what on this machine stands behind each."""
    return {
        "/usr": "/usr",
        "/python": str(Path(sys.base_prefix).resolve()),
        "/packages": sysconfig.get_path("purelib"),
        **{f"/server/{name}": str(file) for name, file in server_files().items()},
    }


def _mounts(sources: dict[str, str], *, root: bool) -> list[str]:
    folders = sorted({str(parent) for name in server_files() for parent in PurePosixPath("/server", name).parents})
    arguments = [word for folder in folders[1:] for word in ("--perms", "0755", "--dir", folder)]
    for name, source in sources.items():
        arguments += ["--ro-bind", source, name]
    for link in SYSTEM_LINKS:
        if os.path.islink(f"/{link}"):
            arguments += ["--symlink", os.readlink(f"/{link}"), f"/{link}"]
        elif os.path.isdir(f"/{link}"):
            arguments += ["--ro-bind", f"/{link}", f"/{link}"]
    if root:
        # the inner bubblewrap needs a full /proc to be allowed one of its own, and a /tmp to build its root in
        return [*arguments, "--bind", "/proc", "/proc", "--dev", "/dev", "--dir", "/tmp"]
    empty = ["--tmpfs", "/tmp", "--tmpfs", "/submission", "--tmpfs", "/dev/shm", "--dir", "/private"]
    return [*arguments, "--proc", "/proc", "--dev", "/dev", *empty, "--remount-ro", "/dev", "--remount-ro", "/"]


def _namespaces() -> list[str]:
    # the server keeps the right to mount, in its own namespace, until the moment before student code runs
    return [
        "--unshare-all",
        "--unshare-user",
        "--as-pid-1",
        "--new-session",
        "--die-with-parent",
        "--hostname",
        "sandbox",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--cap-add",
        "CAP_SETPCAP",
    ]


def _environment() -> list[str]:
    return ["--clearenv", *(word for item in ENVIRONMENT.items() for word in ("--setenv", *item))]
