"""The process that has imported torch once and forks a cell for each submission; it never sees student code.

    python -I -S zygote.py PACKAGES

Its standard input is a socket. Each message there carries a connected socket of its own for the new cell. The cell is
process 1 of its own user, pid, mount, network, ipc, uts and cgroup namespaces; when its socket closes it ends, and the
kernel ends whatever else runs there.
"""

from __future__ import annotations

import os
import socket
import sys


def main() -> None:
    sys.path.insert(0, os.path.abspath(__file__).removesuffix("/grader/wall/inside/zygote.py"))
    from grader.wall.inside import frames, server

    control = socket.socket(fileno=frames.Standard().fileno())
    server.load(sys.argv[1])
    frames.send(control, {"status": "ready"})
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        _reap()
        if not message:
            os._exit(0)  # at once: the kernel ends the cells that are left with this namespace
        for handed in descriptors:
            if os.fork() == 0:
                control.close()
                _hold(handed)
            os.close(handed)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _hold(descriptor: int) -> None:
    """Own the namespaces of one cell; never returns."""
    from grader.wall.inside import confine, frames, server

    control = socket.socket(fileno=descriptor)
    try:
        uid, gid = os.getuid(), os.getgid()
        confine.unshare(
            confine.CLONE_NEWUSER
            | confine.CLONE_NEWPID
            | confine.CLONE_NEWNS
            | confine.CLONE_NEWNET
            | confine.CLONE_NEWIPC
            | confine.CLONE_NEWUTS
            | confine.CLONE_NEWCGROUP
        )
        for file, content in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as handle:
                handle.write(content)
        child = os.fork()
        if child == 0:
            confine.prctl(confine.PR_SET_PDEATHSIG, 9)
            confine.private_mounts()
            confine.mount("proc", "/proc", confine.MS_NOSUID | confine.MS_NODEV | confine.MS_NOEXEC)
            confine.prctl(confine.PR_SET_DUMPABLE, 0)  # not before: /proc/self would not be ours to write
            frames.send(control, {"status": "ready"})
            server.serve(control)
            os._exit(0)
        control.close()
        os.waitpid(child, 0)
    except BaseException as error:
        frames.send(control, {"status": "failed", "reason": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
