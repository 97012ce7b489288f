"""The process that has imported torch once and forks a cell for each submission; it never sees student code.

    python -I -S zygote.py PACKAGES

Its standard input is a socket. Each message there carries a connected socket of its own for the new cell, and what the
cell enters its control groups by. The cell is process 1 of its own user, pid, mount, network, ipc, uts and cgroup
namespaces; when its socket closes it ends, and the kernel ends whatever else runs there.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

MOST_DESCRIPTORS = 3  # the cell's socket, and the doors of two control groups


def main() -> None:
    sys.path.insert(0, os.path.abspath(__file__).removesuffix("/grader/wall/inside/zygote.py"))
    from grader.wall.inside import confine, frames, server

    control = socket.socket(fileno=frames.Standard().fileno())
    # a pid namespace of this user namespace's own: `_fork_first` could not come back into that of another one
    confine.unshare(confine.CLONE_NEWPID | confine.CLONE_NEWNS)
    child = os.fork()
    if child != 0:
        control.close()
        os.waitpid(child, 0)
        os._exit(0)
    confine.mount_proc()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    server.load(sys.argv[1])
    signal.signal(signal.SIGCHLD, _reap)
    frames.send(control, {"status": "ready"})
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, MOST_DESCRIPTORS)
        if not message:
            os._exit(0)  # at once: the kernel ends the cells that are left with this namespace
        if _fork_first(own) == 0:
            control.close()
            os.close(own)
            _live_in(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _fork_first(own: int) -> int:
    """Fork a child that is process 1 of a new pid namespace.

    Args:
        own: the pid namespace of this process, where its other children belong.
    """
    from grader.wall.inside import confine

    confine.unshare(confine.CLONE_NEWPID)
    child = -1
    try:
        child = os.fork()
    finally:
        if child != 0:
            confine.enter(own, confine.CLONE_NEWPID)
    return child


def _reap(*_: object) -> None:
    """Take note of the cells that have ended: until then the kernel keeps what is left of each."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _live_in(cell: int, *doors: int) -> None:
    """Be the first process of one cell; never returns."""
    from grader.wall.inside import confine, frames, server

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control = socket.socket(fileno=cell)
    try:
        for door in doors:
            os.write(door, b"0")
            os.close(door)
        confine.prctl(confine.PR_SET_PDEATHSIG, 9)
        uid, gid = os.getuid(), os.getgid()
        confine.unshare(confine.CLONE_NEWNS)
        confine.mount_proc()  # first: its pid namespace belongs to the user namespace that it is about to leave
        confine.unshare(
            confine.CLONE_NEWUSER
            | confine.CLONE_NEWNS
            | confine.CLONE_NEWNET
            | confine.CLONE_NEWIPC
            | confine.CLONE_NEWUTS
            | confine.CLONE_NEWCGROUP
        )
        for file, content in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as handle:
                handle.write(content)
        confine.prctl(confine.PR_SET_DUMPABLE, 0)  # not before: /proc/self would not be ours to write
        frames.send(control, {"status": "ready"})
        server.serve(control)
    except BaseException as error:
        frames.send(control, {"status": "failed", "reason": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
