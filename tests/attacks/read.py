"""Read tests or expected values: nothing of them is where student code runs."""

from __future__ import annotations

from grader.reports.files import STUDENT_FILES
from grader.reports.views import student_view
from grader.result import Result
from tests.attacks.kinds import LIMITS, Attack, Gap, NotHere, Probe
from tests.attacks.scene import TOKEN

PATIENT = LIMITS.model_copy(update={"probe_seconds": 60, "memory_mb": 1024})

WALK = """
import re
# character classes, so that the patterns do not match themselves
SECRET = re.compile(rb"THE[-]HIDDEN[-]TESTS[-]OF|course[-]of[-]the[-]attacks|ghs[_]this[-]token")
BIG = ("/usr", "/python", "/packages")

def walk(top, *, inside):
    found = []
    for folder, folders, files in os.walk(top, followlinks=False):
        folders[:] = [one for one in folders if os.path.join(folder, one) not in ("/proc", "/sys")]
        for name in files:
            path = os.path.join(folder, name)
            if "/sklearn/" in path:
                continue  # its own tests have such names too
            if re.search("test[_]target[.]py|sheet[.]toml|target[_]hidden|[.]pytest[_]cache", path):
                found.append(path)
            elif inside and not path.startswith(BIG) and os.path.isfile(path):
                try:
                    with open(path, "rb") as file:
                        if SECRET.search(file.read(2**20)):
                            found.append(path)
                except OSError:
                    pass
    return found
"""


def _pid_1(name: str) -> Probe:
    code = f"def attack():\n    return tried(opened, '/proc/1/{name}')"
    return Probe(f"server-{name}", f"/proc/1/{name} of the sandbox's server", "D", code, lambda seen: seen in DENIED)


def _nothing_of_hidden_tests(result: Result) -> str:
    """What the attack printed of its inputs must be in no face that a student reads."""
    student = student_view(result)
    hidden = [test for task in result.tasks for test in task.tests if test.visibility == "hidden"]
    if not any(test.staff for test in hidden):
        return "the staff do not see what became of a hidden test"
    for name, face in STUDENT_FILES.items():
        text = face(student)
        if "target_hidden" in text or any(test.staff in text for test in hidden if test.staff):
            return f"{name} tells about a hidden test"
    return ""


DENIED = ("EACCES", "EPERM", "ENOENT", "ESRCH")

ATTACKS: tuple[Attack, ...] = (
    Probe(
        "hidden-tests-on-disk",
        "hidden tests, sheets and tokens in any file that can be seen",
        "D",
        WALK + "def attack():\n    return walk('/', inside=True)",
        [],
        limits=PATIENT,
    ),
    Probe(
        "test-caches",
        ".pyc and .pytest_cache of tests",
        "D",
        "def attack():\n    return [f for d, _, fs in os.walk('/') for f in fs if 'target_hidden' in f]",
        [],
        limits=PATIENT,
    ),
    Probe(
        "secrets-in-memory",
        "the tests' text in the process's own memory",
        "D",
        WALK
        + """
def attack():
    found = 0
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        span, access, *rest = line.split()
        if access.startswith("rw") and "[v" not in line:
            start, end = (int(one, 16) for one in span.split("-"))
            found += len(SECRET.findall((ctypes.c_char * (end - start)).from_address(start)))
    return found""",
        0,
        limits=PATIENT,
    ),
    Probe(
        "no-repository",
        "git log for deleted solutions",
        "D",
        "def attack():\n    return [d for d, ds, _ in os.walk('/') if '.git' in ds and not d.startswith('/proc')]",
        [],
        limits=PATIENT,
    ),
    *(_pid_1(name) for name in ("environ", "mem", "maps", "auxv", "syscall", "stack")),
    Probe(
        "server-fd",
        "descriptors of the sandbox's server",
        "D",
        "def attack():\n    return tried(os.listdir, '/proc/1/fd')",
        lambda seen: seen in DENIED,
    ),
    Probe(
        "server-root",
        "the server's own root and working directory",
        "D",
        "def attack():\n    return [tried(os.listdir, f'/proc/1/{name}') for name in ('root', 'cwd', 'map_files')]",
        lambda seen: all(one in DENIED for one in seen),
    ),
    Probe(
        "server-ptrace",
        "attaching to the server",
        "D",
        "def attack():\n    return syscall('ptrace', 16, 1, 0, 0)",
        "EPERM",
    ),
    Probe(
        "server-memory",
        "reading the server's memory",
        "D",
        """
def attack():
    import ctypes
    buffer = ctypes.create_string_buffer(64)
    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))
    here, there = Vector(ctypes.addressof(buffer), 64), Vector(id(os), 64)
    return syscall("process_vm_readv", 1, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)""",
        "EPERM",
    ),
    Probe(
        "other-processes",
        "command lines and environments of other processes",
        "D",
        """
def attack():
    words = b""
    for pid in pids():
        for name in ("cmdline", "comm"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                words += file.read()
    return {"processes": pids(), "course": b"course" in words or b"sheet" in words}""",
        lambda seen: len(seen["processes"]) == 2 and seen["course"] is False,
    ),
    Probe(
        "environment",
        "tokens in the environment",
        "N",
        f"""
def attack():
    block = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    words = repr(dict(os.environ)) + repr([block[i] for i in range(len(os.environ))])
    names = [name for name in os.environ if "TOKEN" in name or "GITHUB" in name or "SECRET" in name]
    return names, {TOKEN!r} in words""",
        ([], False),
    ),
    Probe(
        "mount-table",
        "paths of tests, sheets or submissions in the mount table",
        "N",
        """
def attack():
    words = open("/proc/self/mountinfo").read() + open("/proc/self/mounts").read()
    told = ("course-of-the", "sheets", "tests_hidden", "tests_public", "student/", "solutions", "/home")
    return [word for word in told if word in words]""",
        [],
    ),
    Probe(
        "mount-targets",
        "what is mounted, by its name inside",
        "N",
        """
def attack():
    known = ("/usr", "/python", "/packages", "/server", "/proc", "/dev", "/tmp", "/private", "/submission",
             "/lib", "/bin", "/sbin")
    targets = [line.split()[4] for line in open("/proc/self/mountinfo")]
    return [target for target in targets if target != "/" and not target.startswith(known)]""",
        [],
    ),
    Probe(
        "inherited-descriptors",
        "descriptors that were left open",
        "D",
        """
def attack():
    import fcntl, stat
    open_ones = []
    for number in range(65536):
        try:
            open_ones.append((number, stat.S_IFMT(os.fstat(number).st_mode)))
        except OSError:
            pass
    return [(number, kind in (stat.S_IFIFO, stat.S_IFCHR)) for number, kind in open_ones]""",
        [(0, True), (1, True), (2, True), (3, True), (4, True)],
    ),
    Probe(
        "reads-its-pipes",
        "reading what others wrote to the channel of results",
        "D",
        """
def attack():
    return [tried(os.read, number, 1) for number in (1, 2, 3)]""",
        ["EBADF", "EBADF", "EBADF"],
    ),
    Probe(
        "reopens-its-pipes",
        "opening the channel of results for reading",
        "D",
        """
def attack():
    import select
    try:
        handle = os.open("/proc/self/fd/3", os.O_RDONLY | os.O_NONBLOCK)
        return tried(os.read, handle, 1)
    except OSError as error:
        return errno.errorcode[error.errno]""",
        lambda seen: seen in ("EAGAIN", "EACCES", "EPERM", "BlockingIOError"),
    ),
    Probe(
        "kernel-memory",
        "kernel memory and symbols",
        "D",
        """
def attack():
    symbols = open("/proc/kallsyms") if os.path.exists("/proc/kallsyms") else []
    addresses = sorted({line.split()[0].strip("0") for line in symbols})[:3]
    names = ("/proc/kcore", "/dev/mem", "/dev/kmem", "/proc/kmsg", "/dev/kmsg")
    return [tried(opened, name) for name in names], addresses""",
        lambda seen: all(one in (*DENIED, "EINVAL") for one in seen[0]) and seen[1] in ([], [""]),
    ),
    Probe(
        "kernel-keys",
        "keys of the machine's users",
        "D",
        "def attack():\n    return open('/proc/keys').read() if os.path.exists('/proc/keys') else ''",
        lambda seen: "_uid_ses" not in seen or "65534" in seen,
    ),
    Probe("own-name", "the machine's name", "N", "def attack():\n    return os.uname().nodename", "sandbox"),
    Probe(
        "cgroup-path",
        "paths in the process's cgroups",
        "N",
        "def attack():\n    return open('/proc/self/cgroup').read()",
        lambda seen: not any(word in seen for word in ("course", "user@", "session-")),
    ),
    Gap(
        "prints-inputs",
        "printing inputs to replay them later",
        "N",
        "print('STOLEN-INPUT', value)\nreturn None",
        own=("failed",),
        check=_nothing_of_hidden_tests,
    ),
    Gap(
        "raises-inputs",
        "inputs in the text of an exception",
        "N",
        "print('STOLEN-INPUT')\nraise ValueError(f'STOLEN-INPUT {value}')",
        own=("error",),
        check=_nothing_of_hidden_tests,
    ),
    Gap(
        "outcome-as-oracle",
        "exit statuses as an oracle: a student sees how a hidden test ended, and no more",
        "N",
        "print('STOLEN-INPUT')\nimport os\nos._exit(value.numel() % 250 if hasattr(value, 'numel') else 7)",
        own=("crashed",),
        check=_nothing_of_hidden_tests,
    ),
    Probe(
        "replayed-input",
        "inputs kept in a file for the next run",
        "N",
        "def attack():\n    open('/tmp/inputs', 'w').write('kept')\n    return sorted(os.listdir('/tmp'))",
        ["inputs"],
    ),
    NotHere(
        "solution-in-history",
        "a solution in the template's history, caches or notebooks",
        "N",
        "tools.check_release looks for it before a release",
    ),
)
