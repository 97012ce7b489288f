"""Between calls and between submissions: nothing of one may reach another."""

from __future__ import annotations

from tests.attacks.kinds import Attack, Gap, NotHere, Probe, Steps


def _left(id_: str, row: str, first: str, second: str, sees: object) -> Steps:
    """One submission, two calls: what the first leaves, the second does not find."""
    code = f"def first():\n{first}\n    return True\ndef second():\n{second}"
    return Steps(id_, row, "N", code, sees)


def _passed(
    id_: str, row: str, first: str, second: str, sees: object, *, letter: str = "D", at_once: bool = True
) -> Steps:
    """Two submissions, graded at once or one after the other: what one does, the other does not notice."""
    wait = "    import time\n    time.sleep(1.2)\n" if at_once else ""
    begin = "    import time\n    time.sleep(0.5)\n" if at_once else ""
    code = f"def first():\n{first}\n{wait}    return True\ndef second():\n{begin}{second}"
    return Steps(id_, row, letter, code, sees, apart=True, at_once=at_once)  # type: ignore[arg-type]


FILES = """    for folder in ("/tmp", "/dev/shm", "."):
        with open(folder + "/left", "w") as file:
            file.write("here")"""
LISTED = """    return [os.path.exists(folder + "/left") for folder in ("/tmp", "/dev/shm", ".")]"""
SHARED = "/packages/torch/version.py"

ATTACKS: tuple[Attack, ...] = (
    _left("files", "files in /tmp, /dev/shm and the working directory", FILES, LISTED, [False] * 3),
    _left(
        "given-files",
        "the submission's own files changed for the next call",
        "    open('given.txt', 'w').write('changed')",
        "    return open('given.txt').read()",
        "given\n",
    ),
    _left(
        "modules",
        "a module of the submission in memory",
        "    import lib",
        "    import sys\n    return 'lib' in sys.modules",
        False,
    ),
    _left(
        "patched-functions",
        "patched functions of torch and of the codec",
        "    import torch\n    from gapcheck import codec\n    torch.allclose = codec.decode = None",
        "    import torch\n    from gapcheck import codec\n"
        "    return [f is None for f in (torch.allclose, codec.decode, os._exit)]",
        [False] * 3,
    ),
    _left(
        "environment", "environment variables", "    os.environ['LEFT'] = '1'", "    return 'LEFT' in os.environ", False
    ),
    _left(
        "random-state",
        "the random generators' state",
        "    import torch\n    torch.manual_seed(1)\n    torch.randn(10)",
        "    import torch\n    return torch.initial_seed() == 1",
        False,
    ),
    _left(
        "default-dtype",
        "torch's settings",
        "    import torch\n    torch.set_default_dtype(torch.float64)",
        "    import torch\n    return torch.get_default_dtype() == torch.float32",
        True,
    ),
    _left(
        "processes",
        "a process that waits for the next call",
        "    import time\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)",
        "    return len(pids())",
        2,
    ),
    _left(
        "abstract-socket",
        "a listening abstract socket",
        "    import socket\n    global held\n    held = socket.socket(socket.AF_UNIX)\n"
        "    held.bind('\\0left')\n    held.listen()",
        "    import socket\n    return tried(socket.socket(socket.AF_UNIX).connect, '\\0left')",
        "ECONNREFUSED",
    ),
    _left(
        "message-queue",
        "a POSIX message queue",
        "    syscall('mq_open', b'left', os.O_CREAT | os.O_RDWR, 0o600, 0)",
        "    return syscall('mq_open', b'left', os.O_RDONLY, 0, 0) == 'done'",
        False,
    ),
    _left(
        "system-v",
        "System V memory",
        "    syscall('shmget', 77, 4096, 0o1600)",
        "    return syscall('shmget', 77, 4096, 0) == 'done'",
        False,
    ),
    _left(
        "keys",
        "a key in the kernel",
        "    syscall('add_key', b'user', b'left', b'x', 1, -3)",
        "    return syscall('request_key', b'user', b'left', 0, 0) == 'done'",
        False,
    ),
    _left(
        "host-name",
        "the host's name",
        "    syscall('sethostname', b'left', 4)",
        "    return os.uname().nodename",
        "sandbox",
    ),
    _left(
        "caches",
        "poisoned caches of torch and matplotlib",
        "    import matplotlib, torch\n    for folder in (matplotlib.get_cachedir(), torch.hub.get_dir()):\n"
        "        os.makedirs(folder, exist_ok=True)\n        open(folder + '/left', 'w').write('x')",
        "    import matplotlib, torch\n"
        "    folders = (matplotlib.get_cachedir(), torch.hub.get_dir())\n"
        "    return [os.path.exists(folder + '/left') for folder in folders]",
        [False] * 2,
    ),
    _left(
        "below-the-mounts",
        "the file system below the private /tmp",
        FILES.replace('"/tmp", "/dev/shm", "."', '"/tmp/../tmp", "/proc/self/root/tmp"'),
        "    folders = [f'/proc/{pid}/{name}' for pid in pids() for name in ('root/tmp', 'cwd')]\n"
        "    return [one for one in folders if tried(os.listdir, one) == 'done' and 'left' in os.listdir(one)]",
        [],
    ),
    _passed("other-files", "files of another submission", FILES, LISTED, [False] * 3),
    _passed(
        "other-dev",
        "files in another submission's /dev",
        "    tried(open, '/dev/left', 'w')",
        "    return os.path.exists('/dev/left')",
        False,
    ),
    _passed(
        "other-processes",
        "processes of another submission",
        "    pass",
        "    others = {tried(os.kill, n, 9) for n in range(2, 300) if n != os.getpid()}\n"
        "    return others == {'ESRCH'} and pids()[1:] == [os.getpid()]",
        True,
    ),
    _passed(
        "other-sockets",
        "an abstract socket of another submission",
        "    import socket\n    held = socket.socket(socket.AF_UNIX)\n    held.bind('\\0shared')\n    held.listen()",
        "    import socket\n    return tried(socket.socket(socket.AF_UNIX).connect, '\\0shared')",
        "ECONNREFUSED",
    ),
    _passed(
        "other-modules",
        "a module of another submission",
        "    import lib",
        "    import sys\n    return 'lib' in sys.modules",
        False,
    ),
    _passed(
        "poisoned-zygote",
        "what the next submission starts from, patched",
        """    import torch, sys
    torch.allclose = os._exit = None
    sys.modules["numpy"] = None
    for name in ("grader.wall.inside.server", "grader.wall.inside.probing", "gapcheck.codec"):
        if name in sys.modules:
            sys.modules[name].__dict__["left"] = True""",
        """    import torch, numpy, sys
    names = ("grader.wall.inside.server", "grader.wall.inside.probing", "gapcheck.codec")
    return torch.allclose is not None and not any(hasattr(sys.modules.get(name), "left") for name in names)""",
        True,
        letter="N",
        at_once=False,
    ),
    _passed(
        "file-locks",
        "a lock on a shared file as a channel",
        f"    import fcntl\n    held = os.open({SHARED!r}, os.O_RDONLY)\n    tried(fcntl.flock, held, fcntl.LOCK_EX)",
        f"    import fcntl\n    held = os.open({SHARED!r}, os.O_RDONLY)\n"
        "    return tried(fcntl.flock, held, fcntl.LOCK_EX | fcntl.LOCK_NB) in ('EAGAIN', 'EWOULDBLOCK')",
        False,
    ),
    _passed(
        "record-locks",
        "a record lock on a shared file as a channel",
        f"""    import fcntl, struct
    held = os.open({SHARED!r}, os.O_RDONLY)
    tried(fcntl.fcntl, held, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))
    tried(fcntl.fcntl, held, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))""",
        f"""    import fcntl, struct
    held = os.open({SHARED!r}, os.O_RDONLY)
    try:
        found = fcntl.fcntl(held, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    except OSError:
        return False
    return struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK""",
        False,
    ),
    _passed(
        "leases",
        "a lease on a shared file as a channel",
        f"    import fcntl\n    held = os.open({SHARED!r}, os.O_RDONLY)\n"
        f"    tried(fcntl.fcntl, held, fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        "    return '/packages' in open('/proc/locks').read() or 'LEASE' in open('/proc/locks').read()",
        False,
    ),
    _passed(
        "file-watches",
        "watching the files that another submission opens",
        f"    import time\n    time.sleep(0.8)\n    opened({SHARED!r})",
        f"""    watcher = libc.inotify_init1(os.O_NONBLOCK)
    if watcher < 0 or libc.inotify_add_watch(watcher, {SHARED.encode()!r}, 0x20) < 0:
        return 'denied'
    time.sleep(1)
    return tried(os.read, watcher, 4096)""",
        lambda seen: seen in ("denied", "EAGAIN", "EPERM"),
    ),
    Steps(
        "equal-seeds",
        "equal random numbers in two calls with different seeds",
        "N",
        """
def first():
    return True
def second():
    import random, torch, numpy
    return [torch.initial_seed(), random.random() == random.Random(2).random()]""",
        [2, True],
    ),
    Probe(
        "identity",
        "another name than the roster's",
        "N",
        "def attack():\n    return [name for name in os.environ if 'NAME' in name or 'USER' in name]",
        [],
    ),
    Gap(
        "claims-identity",
        "a submission that says whose it is",
        "N",
        "return value + value",
        own=("passed",),
        files={
            "README.md": b"# Team 1\n",
            "team.toml": b"name = 'team-1'\n",
            ".git/config": b"[user]\nname = team-1\n",
        },
        check=lambda result: "" if result.submission == "claims-identity" else f"it is called {result.submission}",
    ),
    NotHere(
        "hash-seeds",
        "equal hashes of texts in all forks",
        "N",
        "forks share the interpreter's hash seed; no test depends on it",
    ),
)
