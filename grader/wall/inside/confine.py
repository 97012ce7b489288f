"""What a process gives up before student code runs in it: mounts, privileges, system calls, resources.

Runs inside the sandbox, in a process of its own for each probe, on Linux. Numbers are those of the kernel's headers.
"""

from __future__ import annotations

import ctypes
import os
import resource

from grader.wall.inside.words import FILES_PER_MB

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1 << 5, 1 << 12, 1 << 14, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER = 4, 2
CAPABILITY_VERSION_3, LAST_CAPABILITY = 0x20080522, 63


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, *args: int) -> None:
    words = [ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]]
    _checked(libc.prctl(option, *words), f"prctl {option}")


def unshare(flags: int) -> None:
    _checked(libc.unshare(flags), "unshare")


def enter(namespace: int, kind: int) -> None:
    """Put this process, or for pid namespaces the children it will have, into the namespace of a descriptor."""
    _checked(libc.setns(namespace, kind), "setns")


def mount(kind: str, target: str, flags: int, options: str = "") -> None:
    done = libc.mount(kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None)
    _checked(done, f"mount {kind} on {target}")


def private_mounts() -> None:
    """Keep this namespace's later mounts to itself."""
    _checked(libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "mount private")


def mount_proc() -> None:
    """Show this pid namespace's processes in `/proc`, in this mount namespace alone."""
    private_mounts()
    mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def bind(source: str, target: str, flags: int) -> None:
    """Show the folder `source` at `target` too; the kernel takes further flags only in a second step."""
    _checked(libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(MS_BIND), None), f"bind {target}")
    if flags:
        again = ctypes.c_ulong(MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | flags)
        _checked(libc.mount(None, target.encode(), None, again, None), f"remount {target}")


def private_folders(root: str, folders: dict[str, int], disk_mb: int) -> None:
    """A mount namespace of this process's own, where the folders are empty and share one small file system.

    Args:
        root: where that file system is mounted.
        folders: each folder's further mount flags.
    """
    unshare(CLONE_NEWNS)
    private_mounts()
    mount("tmpfs", root, MS_NOSUID | MS_NODEV, f"size={disk_mb}m,nr_inodes={disk_mb * FILES_PER_MB},mode=0700")
    for folder, flags in folders.items():
        part = f"{root}/{folder.strip('/').replace('/', '-')}"
        os.mkdir(part, 0o700)
        bind(part, folder, flags)


def expect_to_be_killed_first() -> None:
    """Where memory runs out, this process goes before the cell's server: what students do ends what students started.

    Reports nothing where the system has no such score.
    """
    try:
        prctl(PR_SET_DUMPABLE, 1)  # else /proc/self is not ours to write; nothing hostile runs yet
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass
    finally:
        prctl(PR_SET_DUMPABLE, 0)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def forbid_new_capabilities() -> None:
    """Empty the bounding set, for this process and all that it will start; what it holds it keeps."""
    for capability in range(LAST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break  # beyond the kernel's last; or there is no right to, and no program could gain any either


def drop_capabilities() -> None:
    """Give up every capability that this process holds, for good."""
    libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = _Header(CAPABILITY_VERSION_3, 0)
    _checked(libc.capset(ctypes.byref(header), (_Data * 2)()), "capset")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_system_calls(program: bytes) -> None:
    """Install a seccomp program (an array of `sock_filter`, 8 bytes each) for good."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if not program:
        return
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    done = libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(fprog), 0, 0)
    _checked(done, "seccomp")


def limit_resources(memory_mb: int, seconds: float, processes: int, open_files: int, disk_mb: int) -> None:
    """Bound what this process, and each that it starts, may use.

    The address space counts from what is mapped already: torch maps gigabytes that it never touches.
    """
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:  # no Linux: the address space stays unbounded
        mapped = 2**62
    cpu = int(seconds) + 1
    _limit(resource.RLIMIT_AS, mapped + memory_mb * 2**20)
    _limit(resource.RLIMIT_CPU, cpu)
    if processes:
        _limit(resource.RLIMIT_NPROC, processes)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_FSIZE, disk_mb * 2**20)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)


def _limit(what: int, amount: int) -> None:
    hard = resource.getrlimit(what)[1]
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(what, (amount, amount))
