"""Exhaust: time, memory, processes, files, descriptors, output, and the reader of source files."""

from __future__ import annotations

from grader.result import Result
from tests.attacks.kinds import LIMITS, SHORT, Attack, Gap, Probe

STOPPED = "stopped after 1 s"
FORKS = SHORT.model_copy(update={"memory_mb": 256, "processes": 8, "probe_seconds": 4})
OUT_OF_PROCESSES = ("EAGAIN", "BlockingIOError")


def _stopped(id_: str, row: str, code: str) -> Probe:
    return Probe(id_, row, "K", f"def attack():\n{code}", ends=("timeout",), says=STOPPED, limits=SHORT)


def _ends(id_: str, row: str, code: str, *ends: str, says: str = "") -> Probe:
    return Probe(id_, row, "F", f"def attack():\n{code}", ends=ends, says=says)


def _full(id_: str, row: str, folder: str) -> Probe:
    code = f"""
def attack():
    written = 0
    try:
        for name in "abc":
            with open(f"{folder}/{{name}}", "wb", 0) as file:
                for _ in range(64):
                    written += file.write(bytes(2**18))
    except OSError as error:
        return errno.errorcode[error.errno], written // 2**20
    return "done", written // 2**20"""
    return Probe(id_, row, "D", code, lambda seen: seen[0] in ("ENOSPC", "EFBIG") and seen[1] <= LIMITS.disk_mb)


def _found(kind: str) -> object:
    """Checks that the reader's finding is told with the file's name."""

    def check(result: Result) -> str:
        told = [f"{rule.id}: {rule.message} {[one.text for one in rule.evidence]}" for rule in result.rules]
        told += [test.message for task in result.tasks for test in task.tests]
        return "" if any("lib/target.py" in one or kind in one for one in told) else f"told: {told}"

    return check


def _source(id_: str, row: str, data: bytes, says: str, *own: str, letter: str = "R") -> Gap:
    return Gap(id_, row, letter, "", own=own or ("error", "failed"), files={"lib/target.py": data}, check=_found(says))  # type: ignore[arg-type]


GIVEN = b'''"""The file that the attacks fill in."""

from typing import TypeVar

T = TypeVar("T")


def double(value: T) -> T:
    """Twice a tensor, or a text written twice."""
    # START TODO (target 1): add the value to itself.
%s
    # END TODO
'''


ATTACKS: tuple[Attack, ...] = (
    _stopped("busy-loop", "a busy loop", "    while True:\n        pass"),
    _stopped("busy-native", "a busy loop in native code", "    sum(range(10**12))"),
    _stopped("sleep", "sleeping", "    import time\n    time.sleep(600)"),
    _stopped(
        "deadlock",
        "a deadlock",
        "    import threading\n    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire()",
    ),
    _stopped("stopped-itself", "SIGSTOP to itself", "    import signal\n    os.kill(os.getpid(), signal.SIGSTOP)"),
    _stopped(
        "ignored-signals",
        "every signal ignored",
        """
    import signal
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass""",
    ),
    _stopped(
        "hung-import",
        "an import that never ends",
        "    open('slow.py', 'w').write('while True: pass')\n    import slow",
    ),
    _stopped(
        "regular-expression",
        "a regular expression that backtracks",
        "    import re\n    re.match('(a+)+$', 'a' * 60 + 'b')",
    ),
    _stopped(
        "endless-repr",
        "an exception whose text never ends",
        """
    class Endless(Exception):
        def __str__(self):
            while True:
                pass
    raise Endless""",
    ),
    _stopped(
        "stalled-writer",
        "half a result, then silence",
        "    import time\n    os.write(3, bytes(8) + b'\\x0aV')\n    time.sleep(600)",
    ),
    _stopped("stdout-flood", "output without end", "    while True:\n        print('x' * 1000)"),
    _stopped(
        "fork-bomb",
        "a fork bomb",
        """
    import time
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)""",
    ),
    _stopped(
        "fork-and-die",
        "a fork bomb whose processes replace each other",
        """
    while True:
        try:
            if os.fork():
                os._exit(0) if os.getppid() != 1 else None
        except OSError:
            pass""",
    ),
    Probe(
        "many-children",
        "more children than the limit",
        "D",
        """
def attack():
    import time
    made = 0
    try:
        for _ in range(200):
            if os.fork() == 0:
                time.sleep(60)
            made += 1
    except OSError as error:
        return errno.errorcode[error.errno], made""",
        lambda seen: seen[0] == "EAGAIN" and seen[1] < LIMITS.processes,
    ),
    Probe(
        "thread-bomb",
        "more threads than the limit",
        "D",
        """
def attack():
    import threading, time
    made = 0
    try:
        for _ in range(500):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            made += 1
    except RuntimeError:
        return made""",
        lambda made: made < LIMITS.processes,
    ),
    _ends("tensor-bomb", "a tensor of 40 GB", "    import torch\n    return torch.ones(10**10)", "error"),
    _ends("bytes-bomb", "a gigabyte of bytes", "    return len(bytearray(2**30))", "error", says="MemoryError"),
    _ends(
        "list-bomb",
        "a list that grows without end",
        "    kept = []\n    while True:\n        kept.append(bytes(2**20))",
        "error",
        "crashed",
    ),
    _ends("integer-bomb", "an integer without end", "    return len(str(1 << (1 << 40)))", "error", "crashed"),
    Probe(
        "children-times-memory",
        "many children, each with all the memory it may have",
        "K",
        """
def attack():
    import time
    share = 200 * 2**20
    reads, writes = os.pipe()
    for _ in range(20):
        try:
            if os.fork() == 0:
                try:
                    kept = bytearray(share)
                    for start in range(0, share, 4096):
                        kept[start] = 1
                    os.write(writes, b"x")
                    time.sleep(60)
                finally:
                    os._exit(0)
        except OSError:
            break
    time.sleep(2)
    os.set_blocking(reads, False)
    return len(os.read(reads, 100)) * share // 2**20""",
        lambda megabytes: megabytes <= FORKS.memory_mb * FORKS.processes,
        ends=("crashed", "error"),
        limits=FORKS,
    ),
    _full("full-tmp", "a full /tmp", "/tmp"),
    _full("full-home", "a full working directory", "/submission"),
    _full("full-shm", "a full /dev/shm", "/dev/shm"),
    Probe(
        "inodes",
        "files without end",
        "D",
        """
def attack():
    made = 0
    try:
        while made < 100_000:
            os.close(os.open(f"/tmp/{made}", os.O_CREAT))
            made += 1
    except OSError as error:
        return errno.errorcode[error.errno], made""",
        lambda seen: seen[0] == "ENOSPC" and seen[1] < 100_000,
    ),
    Probe(
        "deep-folders",
        "folders in folders without end",
        "D",
        """
def attack():
    made = 0
    try:
        while made < 100_000:
            os.mkdir("d")
            os.chdir("d")
            made += 1
    except OSError as error:
        return errno.errorcode[error.errno]""",
        "ENOSPC",
    ),
    Probe(
        "large-file",
        "one sparse file larger than the disk may be",
        "D",
        "def attack():\n    return tried(os.truncate, os.open('/tmp/big', os.O_CREAT | os.O_RDWR), 2**40)",
        "EFBIG",
    ),
    Probe("memfd", "memory as a file", "D", "def attack():\n    return syscall('memfd_create', b'x', 0)", "EPERM"),
    Probe(
        "secret-memory",
        "secret memory as a file",
        "D",
        "def attack():\n    return syscall('memfd_secret', 0)",
        lambda seen: seen in ("EPERM", "ENOSYS"),
    ),
    Probe(
        "system-v",
        "System V memory, semaphores and queues",
        "D",
        """
def attack():
    return [syscall("shmget", 0, 2**20, 0o1600), syscall("semget", 0, 1, 0o1600), syscall("msgget", 0, 0o1600)]""",
        ["EPERM"] * 3,
    ),
    Probe(
        "message-queue",
        "a POSIX message queue, which outlives its process",
        "D",
        "def attack():\n    return syscall('mq_open', b'queue', os.O_CREAT | os.O_RDWR, 0o600, 0)",
        lambda seen: seen in ("EPERM", "ENOSYS"),
    ),
    Probe(
        "descriptors",
        "descriptors without end",
        "D",
        """
def attack():
    kept = []
    try:
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return errno.errorcode[error.errno], len(kept)""",
        lambda seen: seen[0] == "EMFILE" and seen[1] < LIMITS.open_files,
    ),
    Probe(
        "locked-memory",
        "memory locked into the machine",
        "D",
        """
def attack():
    place = ctypes.create_string_buffer(2**22)
    return "done" if libc.mlock(place, 2**22) == 0 else errno.errorcode[ctypes.get_errno()]""",
        lambda seen: seen in ("ENOMEM", "EPERM"),
    ),
    Probe(
        "kernel-queues",
        "the machine's asynchronous requests used up",
        "D",
        "def attack():\n    return syscall('io_setup', 60_000, ctypes.byref(ctypes.c_ulong()))",
        lambda seen: seen in ("EPERM", "ENOSYS"),
    ),
    Probe(
        "printed-much",
        "a hundred megabytes printed",
        "D",
        """
def attack():
    for _ in range(1000):
        os.write(1, b"x" * 100_000)
    return "done\"""",
        "done",
        output="[output cut after 16 KiB]",
    ),
    Probe(
        "printed-bytes",
        "output that is no text",
        "E",
        "def attack():\n    os.write(1, bytes(range(256)) * 20)\n    return True",
        True,
        output="\ufffd",
    ),
    _ends(
        "result-too-large",
        "a result of 16 MB",
        "    import torch\n    return torch.zeros(2**22)",
        "refused",
        says="8 MiB",
    ),
    _ends(
        "result-expanded",
        "a result of a terabyte in one stored number",
        "    import torch\n    return torch.zeros(1).expand(2**40)",
        "error",
        "refused",
        "crashed",
    ),
    _ends(
        "result-of-many-parts", "a result of a million parts", "    return list(range(10**6))", "refused", says="parts"
    ),
    _ends("result-of-much-text", "a result of 20 MB of text", "    return 'x' * (20 * 2**20)", "refused"),
    _ends("huge-message", "an exception of 50 MB", "    raise ValueError('x' * 50_000_000)", "error"),
    _ends(
        "endless-traceback",
        "a traceback of many frames",
        "    def deeper(n):\n        return deeper(n + 1) + 1\n    return deeper(0)",
        "error",
        says="RecursionError",
    ),
    _ends(
        "chained-exceptions",
        "a chain of ten thousand exceptions",
        """
    error = ValueError("first")
    for _ in range(10_000):
        following = ValueError("next")
        following.__cause__ = error
        error = following
    raise error""",
        "error",
    ),
    _ends(
        "no-recursion-limit",
        "recursion without a limit",
        """
    import sys
    sys.setrecursionlimit(10**9)
    class Deep:
        def __repr__(self):
            return f"{self!r}"
    return repr(Deep())""",
        "crashed",
        "error",
    ),
    _ends("segfault", "a segmentation fault", "    ctypes.string_at(0)", "crashed", says="SIGSEGV"),
    _ends("abort", "an abort", "    os.abort()", "crashed", says="SIGABRT"),
    _ends("illegal", "an illegal instruction", "    os.kill(os.getpid(), 4)", "crashed", says="SIGILL"),
    _ends("kills-itself", "SIGKILL to itself", "    os.kill(os.getpid(), 9)", "crashed", says="SIGKILL"),
    Probe(
        "kills-init",
        "signals to the server",
        "D",
        """
def attack():
    for number in (9, 15, 19, 2, 11, 1, 20):
        tried(os.kill, 1, number)
    return True""",
    ),
    Probe(
        "kills-all",
        "a signal to everybody",
        "D",
        "def attack():\n    tried(os.kill, -1, 9)\n    tried(os.killpg, 0, 15) if False else None\n    return True",
    ),
    Probe(
        "zombies",
        "children that nobody waits for",
        "K",
        """
def attack():
    for _ in range(8):
        if os.fork() == 0:
            os._exit(0)
    return True""",
    ),
    Probe(
        "oversubscription",
        "sixty-four threads for each operation",
        "D",
        """
def attack():
    import torch
    torch.set_num_threads(64)
    (torch.ones(400, 400) @ torch.ones(400, 400)).sum()
    return len(os.listdir("/proc/self/task"))""",
        lambda threads: threads <= LIMITS.processes,
        ends=("crashed", "error", "timeout"),
    ),
    Gap(
        "diff-bomb",
        "a text that makes the comparison outside expensive",
        "F",
        "return '\\n'.join(('abcabcab' + str(i) * 3 + line) for i, line in enumerate(value.split('\\n') * 20))"
        " if isinstance(value, str) else None",
        own=("failed",),
    ),
    Gap(
        "long-answer",
        "a text of two megabytes in a comparison outside",
        "F",
        "return 'a\\nb' * 700_000 if isinstance(value, str) else None",
        own=("failed",),
    ),
    Gap(
        "long-message",
        "a message of fifty megabytes in a test",
        "F",
        "raise ValueError('x' * 50_000_000)",
        own=("error",),
    ),
    Gap(
        "much-source",
        "much untidy source beside the solution",
        "N",
        "# a sum\nreturn value + value",
        own=("passed",),
        files={f"a/x{number:02}.py": b"x=[1,2 ,3]\n" * 4_500 for number in range(10)},
    ),
    _source(
        "huge-source",
        "a source file of 2 MB",
        GIVEN % (b"    return value + value\n" + b"    # x\n" * 200_000),
        "larger than",
    ),
    _source("many-lines", "a source file of many lines", GIVEN % (b"    # x\n" * 20_000), "lines"),
    _source(
        "long-line", "a source line of 200 KB", GIVEN % (b"    return value + " + b"1 + " * 50_000 + b"1"), "characters"
    ),
    _source(
        "not-utf8",
        "a source file that is not UTF-8",
        GIVEN % b"    return value + value  # \xff\xfe\x80",
        "UTF-8",
        "passed",
    ),
    _source(
        "utf16",
        "a source file in UTF-16",
        (GIVEN % b"    return value + value").decode().encode("utf-16"),
        "UTF-8",
        "passed",
    ),
    _source(
        "nul-bytes",
        "a source file with NUL bytes",
        GIVEN % b"    return value + value  # \0",
        "UTF-8",
        "passed",
        "error",
    ),
    _source("binary", "a program in place of a source file", b"\x7fELF" + bytes(range(256)) * 100, "gap"),
    _source("empty-file", "an empty source file", b"", "gap"),
    _source(
        "nested-brackets",
        "five thousand brackets",
        GIVEN % (b"    return " + b"(" * 900 + b"value" + b")" * 900),
        "target 1",
        "error",
        "failed",
        "crashed",
        "passed",
    ),
    _source(
        "nested-blocks",
        "a hundred nested blocks",
        GIVEN % b"\n".join(b" " * (4 + i) + b"if value is not None:" for i in range(100)),
        "target 1",
    ),
    _source(
        "unclosed-string",
        "a string that never ends",
        GIVEN % (b"    return '''" + b"x\n" * 2000),
        "target 1",
        "error",
        "failed",
    ),
    _source(
        "many-markers",
        "a thousand markers of gaps",
        GIVEN % (b"    # START TODO (target 1): x\n    # END TODO\n" * 1000),
        "gap",
        "error",
        "failed",
        "passed",
    ),
)
