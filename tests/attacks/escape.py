"""Escape and persist: the network, namespaces, other processes, the kernel, the file system, privileges."""

from __future__ import annotations

import platform
import shutil
import socket

from tests.attacks.kinds import LIMITS, Attack, Probe

PATIENT = LIMITS.model_copy(update={"probe_seconds": 30})
ABSENT = ("EPERM", "ENOSYS")
READ_ONLY = ("EROFS", "EACCES", "EPERM")
FAMILIES = "INET INET6 NETLINK PACKET VSOCK ALG CAN BLUETOOTH RDS TIPC KCM QIPCRTR XDP AX25 X25 APPLETALK IPX".split()


def _only_on_x86() -> str:
    return "" if platform.machine() == "x86_64" else f"machine code for x86_64, and this is {platform.machine()}"


def _compiler() -> str:
    return "" if shutil.which("gcc") else "no compiler is installed"


def _setuid_programs() -> str:
    return "" if shutil.which("su") or shutil.which("passwd") else "no setuid program is installed"


def _socket(family: str) -> Probe:
    number = getattr(socket, f"AF_{family}", {"XDP": 44, "KCM": 41}.get(family, 60))
    code = f"""
def attack():
    import socket
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
    return sorted({{tried(socket.socket, {int(number)}, kind) for kind in kinds}})"""
    return Probe(f"socket-{family.lower()}", f"a socket of the family {family}", "D", code, ["EPERM"])


def _syscall(name: str, row: str, *arguments: str, sees: tuple[str, ...] = ("EPERM",), also: str = "") -> Probe:
    code = f"def attack():\n    return syscall({', '.join([repr(name), *arguments])})"
    return Probe(name.replace("_", "-") + also, row, "D", code, lambda seen: seen in sees)


def _write(path: str) -> Probe:
    code = f"""
def attack():
    import stat
    path = {path!r}
    file = path
    if path.count("/") == 1 and len(path) > 1:
        file = next((os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names), path)
    return [
        tried(opened, file, os.O_WRONLY), tried(os.truncate, file, 0), tried(os.unlink, file),
        tried(os.rename, file, file + "x"),
        tried(os.chmod, file, 0o777), tried(os.chown, file, os.getuid(), 0), tried(os.utime, file),
        tried(os.mkdir, os.path.join(path, "new")), tried(os.symlink, "x", os.path.join(path, "link")),
        tried(os.link, file, "/tmp/link"), tried(os.setxattr, file, "user.x", b"x"),
    ]"""
    name = path.strip("/").replace("/", "-") or "root"
    fits = (*READ_ONLY, "EXDEV", "ENOTDIR", "ENOENT", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "EISDIR", "EBUSY", "EEXIST")
    return Probe(
        f"writes-{name}",
        f"writes, links and modes in {path}",
        "D",
        code,
        lambda seen: all(one in fits for one in seen) and any(one in READ_ONLY for one in seen),
    )


ATTACKS: tuple[Attack, ...] = (
    *(_socket(family) for family in FAMILIES),
    _syscall("socket", "a socket whose family has bits that the kernel ignores", "0x1_0000_0002", "1", "0"),
    _syscall("socketpair", "a pair of sockets of another family", "30", "2", "0", "ctypes.create_string_buffer(8)"),
    _syscall("prlimit64", "the server's limits lowered", "1", "9", "(ctypes.c_ulong * 2)(1, 1)", "0"),
    Probe(
        "tcp",
        "TCP to the world and to itself",
        "D",
        """
def attack():
    import socket
    addresses = (("1.1.1.1", 53), ("127.0.0.1", 22), ("::1", 80))
    return [tried(socket.create_connection, address, 1) for address in addresses]""",
        ["EPERM"] * 3,
    ),
    Probe(
        "dns",
        "a name looked up",
        "D",
        "def attack():\n    import socket\n    return tried(socket.getaddrinfo, 'example.org', 80)",
        lambda seen: seen in ("gaierror", "EPERM", "EAI_AGAIN") or seen != "done",
        limits=PATIENT,
    ),
    Probe(
        "http",
        "a page fetched",
        "D",
        """
def attack():
    import urllib.request
    return tried(urllib.request.urlopen, "http://example.org", timeout=2)""",
        lambda seen: seen != "done",
        limits=PATIENT,
    ),
    Probe(
        "torch-hub",
        "a model fetched with torch.hub",
        "D",
        """
def attack():
    import torch
    return tried(torch.hub.load_state_dict_from_url, "https://models.example.org/resnet18-f37072fd.pth")""",
        lambda seen: seen != "done",
        limits=PATIENT,
    ),
    Probe(
        "pip",
        "a package installed with pip",
        "D",
        """
def attack():
    import subprocess, sys
    command = [sys.executable, "-m", "pip", "install", "--retries", "0", "--timeout", "1", "--target", "/tmp/x", "six"]
    return subprocess.run(command, capture_output=True).returncode != 0""",
        True,
        limits=PATIENT,
    ),
    Probe(
        "host-sockets",
        "sockets of the machine's services in the file system",
        "D",
        """
def attack():
    import stat
    found = []
    for top in ("/", "/run", "/var", "/dev", "/tmp"):
        for folder, folders, files in os.walk(top):
            left_out = ("/proc", "/usr", "/python", "/packages")
            folders[:] = [one for one in folders if os.path.join(folder, one) not in left_out]
            found += [f for f in files if stat.S_ISSOCK(os.lstat(os.path.join(folder, f)).st_mode)]
    return found""",
        [],
    ),
    Probe(
        "unix-elsewhere",
        "a connection to an abstract socket of the machine",
        "D",
        """
def attack():
    import socket
    names = [line.split()[-1] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7]
    return [tried(socket.socket(socket.AF_UNIX).connect, "\\0/tmp/.X11-unix/X0"), names]""",
        lambda seen: seen[0] in ("ECONNREFUSED", "EPERM") and seen[1] == [],
    ),
    _syscall("unshare", "a user namespace of its own", "0x10000000"),
    _syscall("unshare", "a mount namespace of its own", "0x00020000", also="-mount"),
    _syscall("unshare", "a network namespace of its own", "0x40000000", also="-net"),
    _syscall("setns", "another process's namespaces", "os.open('/proc/self/ns/user', os.O_RDONLY)", "0"),
    _syscall("clone", "clone with a new user namespace", "0x10000000 | 17", "0", "0", "0", "0"),
    _syscall("clone", "clone with a new process namespace", "0x20000000 | 17", "0", "0", "0", "0", also="-pid"),
    _syscall("clone3", "clone3, whose flags no filter can see", "0", "88", sees=("ENOSYS",)),
    _syscall("mount", "a mount", "b'tmpfs'", "b'/tmp'", "b'tmpfs'", "0", "0"),
    _syscall("mount", "a mount made writable again", "0", "b'/usr'", "0", "32 | 4096", "0", also="-remount"),
    _syscall("umount2", "an unmount, to see what lies below", "b'/tmp'", "2"),
    _syscall("pivot_root", "another root", "b'/tmp'", "b'/tmp'"),
    _syscall("chroot", "a smaller root", "b'/tmp'"),
    _syscall("open_tree", "the new mount interface: open_tree", "-100", "b'/'", "1", sees=ABSENT),
    _syscall("fsopen", "the new mount interface: fsopen", "b'tmpfs'", "0", sees=ABSENT),
    _syscall("fspick", "the new mount interface: fspick", "-100", "b'/'", "0", sees=ABSENT),
    _syscall(
        "move_mount", "the new mount interface: move_mount", "-100", "b'/usr'", "-100", "b'/tmp'", "0", sees=ABSENT
    ),
    _syscall("mount_setattr", "the new mount interface: mount_setattr", "-100", "b'/'", "0", "0", "0", sees=ABSENT),
    _syscall("ptrace", "being traced", "0", "0", "0", "0"),
    _syscall("process_vm_writev", "writing another process's memory", "1", "0", "0", "0", "0", "0"),
    _syscall("process_madvise", "advice on another process's memory", "3", "0", "0", "0", "0", sees=ABSENT),
    _syscall("pidfd_open", "a handle of the server", "1", "0", sees=ABSENT),
    _syscall("pidfd_getfd", "a descriptor of the server", "3", "3", "0", sees=ABSENT),
    _syscall("kcmp", "comparing with the server", "1", "1", "0", "0", "0", sees=ABSENT),
    _syscall("io_uring_setup", "io_uring", "8", "ctypes.create_string_buffer(120)", sees=ABSENT),
    _syscall("bpf", "a kernel program", "0", "ctypes.create_string_buffer(120)", "120", sees=ABSENT),
    _syscall(
        "perf_event_open", "performance counters", "ctypes.create_string_buffer(120)", "0", "-1", "-1", "0", sees=ABSENT
    ),
    _syscall("userfaultfd", "page faults handled by itself", "1", sees=ABSENT),
    _syscall("keyctl", "the kernel's keyrings", "0", "-3", "1", sees=ABSENT),
    _syscall("add_key", "a key left in the kernel", "b'user'", "b'x'", "b'y'", "1", "-3", sees=ABSENT),
    _syscall("request_key", "a key asked for", "b'user'", "b'x'", "0", "0", sees=ABSENT),
    _syscall("personality", "another personality (no address randomisation)", "0x0040000"),
    _syscall("init_module", "a kernel module", "0", "0", "b''"),
    _syscall("finit_module", "a kernel module from a file", "0", "b''", "0"),
    _syscall("kexec_load", "another kernel", "0", "0", "0", "0"),
    _syscall("reboot", "a reboot", "-18751827", "672274793", "19088743", "0"),
    _syscall("swapon", "a swap file", "b'/tmp/x'", "0"),
    _syscall("swapoff", "swap switched off", "b'/tmp/x'"),
    _syscall("acct", "process accounting", "0"),
    _syscall("quotactl", "disk quotas", "0", "0", "0", "0", sees=ABSENT),
    _syscall("syslog", "the kernel's log", "3", "ctypes.create_string_buffer(64)", "64"),
    _syscall("settimeofday", "the clock", "ctypes.create_string_buffer(16)", "0"),
    _syscall("adjtimex", "the clock's speed", "ctypes.create_string_buffer(208)"),
    _syscall("sethostname", "the machine's name", "b'x'", "1"),
    _syscall("setdomainname", "the machine's domain", "b'x'", "1"),
    _syscall("name_to_handle_at", "file handles", "-100", "b'/usr'", "0", "0", "0", sees=ABSENT),
    _syscall("open_by_handle_at", "a file opened by its handle", "3", "0", "0", sees=ABSENT),
    _syscall("fanotify_init", "watching the whole file system", "0", "0", sees=ABSENT),
    _syscall("mbind", "memory policy", "0", "0", "0", "0", "0", "0", sees=ABSENT),
    _syscall("migrate_pages", "other processes' pages", "1", "0", "0", "0", sees=ABSENT),
    _syscall("vmsplice", "pages given to a pipe", "3", "0", "0", "0", sees=ABSENT),
    _syscall("vhangup", "hanging up the terminal"),
    _syscall("landlock_create_ruleset", "a rule set of its own", "0", "0", "1", sees=(*ABSENT, "EOPNOTSUPP")),
    _syscall("iopl", "hardware ports", "3", sees=ABSENT),
    _syscall("ioperm", "one hardware port", "128", "1", "1", sees=ABSENT),
    Probe(
        "calls-of-32-bit",
        "a 32-bit system call",
        "K",
        "def attack():\n    return native(bytes.fromhex('b814000000cd80c3'))",
        ends=("crashed",),
        here=_only_on_x86,
    ),
    Probe(
        "calls-of-x32",
        "an x32 system call",
        "K",
        "def attack():\n    return native(bytes.fromhex('b8270000400f05c3'))",
        ends=("crashed",),
        says="SIGSYS",
        here=_only_on_x86,
    ),
    Probe(
        "code-of-32-bit",
        "a jump into 32-bit code",
        "K",
        # push 0x23; push next; retfq: the code segment of 32-bit programs
        "def attack():\n    return native(bytes.fromhex('6a236800100000 48cb'.replace(' ', '')))",
        ends=("crashed",),
        here=_only_on_x86,
    ),
    Probe(
        "native-code",
        "machine code that asks for a namespace",
        "D",
        # mov eax, 272 (unshare); mov edi, CLONE_NEWUSER; syscall; ret
        "def attack():\n    return native(bytes.fromhex('b810010000bf000000100f05c3'))",
        -1,
        here=_only_on_x86,
    ),
    Probe(
        "compiled-code",
        "a compiled program that asks for namespaces and sockets",
        "D",
        """
def attack():
    import subprocess
    open("x.c", "w").write('''
#define _GNU_SOURCE
#include <sched.h>
#include <sys/socket.h>
int main(void) { return (unshare(CLONE_NEWUSER) == 0) + 2 * (socket(AF_INET, SOCK_STREAM, 0) >= 0); }
''')
    made = subprocess.run(["gcc", "x.c", "-o", "/tmp/x"], capture_output=True)
    return made.returncode, subprocess.run(["/tmp/x"]).returncode""",
        (0, 0),
        limits=PATIENT,
        here=_compiler,
    ),
    Probe(
        "copied-program",
        "a program copied to its folder and run: the same rules",
        "D",
        """
def attack():
    import shutil, subprocess
    shutil.copy("/usr/bin/env", "/tmp/env")
    os.chmod("/tmp/env", 0o6755)
    return subprocess.run(["/tmp/env", "unshare", "--user", "true"], capture_output=True).returncode != 0""",
        True,
    ),
    Probe(
        "program-in-shm",
        "a program run from /dev/shm",
        "D",
        """
def attack():
    import shutil, subprocess
    shutil.copy("/usr/bin/env", "/dev/shm/env")
    os.chmod("/dev/shm/env", 0o755)
    return tried(subprocess.run, ["/dev/shm/env"])""",
        "EACCES",
    ),
    Probe(
        "program-in-memory",
        "a program run from memory alone",
        "D",
        "def attack():\n    return tried(os.memfd_create, 'x')",
        "EPERM",
    ),
    Probe(
        "preload",
        "LD_PRELOAD for setuid programs and children",
        "D",
        """
def attack():
    import subprocess
    environment = {"LD_PRELOAD": "/tmp/evil.so", "LD_LIBRARY_PATH": "/tmp"}
    done = subprocess.run(["/usr/bin/id", "-u"], env=environment, capture_output=True, text=True)
    return done.stdout.strip() != "0\"""",
        True,
    ),
    Probe(
        "setuid-programs",
        "setuid programs",
        "D",
        """
def attack():
    import stat, subprocess
    found = [os.path.join(d, f) for d in ("/usr/bin", "/usr/sbin") for f in os.listdir(d)
             if os.lstat(os.path.join(d, f)).st_mode & stat.S_ISUID]
    gained = [os.statvfs(path).f_flag & os.ST_NOSUID == 0 for path in found]
    privileges = next(line for line in open("/proc/self/status") if line.startswith("NoNewPrivs"))
    return any(gained), privileges.split()[1]""",
        (False, "1"),
        here=_setuid_programs,
    ),
    Probe(
        "becomes-root",
        "setuid, setgid and setgroups",
        "D",
        """
def attack():
    calls = [tried(os.setuid, 0), tried(os.setgid, 0), tried(os.setgroups, [0]), tried(os.setresuid, 0, 0, 0)]
    return [*calls, os.getuid() == 0]""",
        lambda seen: all(one in ("EPERM", "EINVAL") for one in seen[:4]) and seen[4] is False,
    ),
    Probe(
        "capabilities",
        "capabilities taken back",
        "D",
        """
def attack():
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    sets = {line.split()[0]: int(line.split()[1], 16) for line in open("/proc/self/status") if line.startswith("Cap")}
    return syscall("capset", ctypes.byref(header), ctypes.byref(data)), sorted(set(sets.values()))""",
        ("EPERM", [0]),
    ),
    Probe(
        "maps-users",
        "a new mapping of users",
        "D",
        "def attack():\n"
        "    names = ('uid_map', 'gid_map', 'setgroups')\n"
        "    return [tried(opened, f'/proc/self/{name}', os.O_WRONLY) for name in names]",
        lambda seen: all(one in READ_ONLY for one in seen),
    ),
    Probe(
        "raises-limits",
        "limits raised",
        "D",
        """
def attack():
    import resource
    names = ("AS", "CPU", "NPROC", "NOFILE", "FSIZE", "CORE", "MEMLOCK")
    numbers = [getattr(resource, f"RLIMIT_{name}") for name in names]
    return [tried(resource.setrlimit, n, (resource.RLIM_INFINITY,) * 2) for n in numbers] + [
        tried(resource.prlimit, 1, resource.RLIMIT_AS, (1, 1))]""",
        lambda seen: all(one in ("ValueError", "EPERM", "PermissionError") for one in seen),
    ),
    Probe(
        "limits-of-children",
        "limits that a child process gets back",
        "D",
        """
def attack():
    import subprocess
    return subprocess.run(["sh", "-c", "ulimit -u 100000 && ulimit -n 100000"], capture_output=True).returncode != 0""",
        True,
    ),
    Probe(
        "priority",
        "a higher priority",
        "D",
        """
def attack():
    return [tried(os.nice, -5), tried(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(50))]""",
        lambda seen: all(one in ("EPERM", "EACCES") for one in seen),
    ),
    Probe(
        "out-of-memory-score",
        "being the last to be ended for memory",
        "D",
        """
def attack():
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-1000")
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done\"""",
        lambda seen: seen in READ_ONLY,
    ),
    Probe(
        "terminal-injection",
        "TIOCSTI",
        "D",
        """
def attack():
    import fcntl
    ends = os.openpty()
    return [tried(fcntl.ioctl, ends[1], number, b"x") for number in (0x5412, 0x541C)]""",
        ["EPERM", "EPERM"],
    ),
    Probe(
        "terminal",
        "the terminal of whoever grades",
        "D",
        "def attack():\n    return tried(opened, '/dev/tty', os.O_RDWR)",
        lambda seen: seen in ("ENXIO", "ENOENT", "EACCES"),
    ),
    Probe(
        "writes-dev",
        "files in /dev",
        "D",
        """
def attack():
    return [tried(opened, "/dev/new", os.O_CREAT | os.O_WRONLY), tried(os.unlink, "/dev/null"),
            tried(os.chmod, "/dev/null", 0),
            tried(os.rename, "/dev/null", "/dev/zero")]""",
        lambda seen: all(one in (*READ_ONLY, "EBUSY") for one in seen),
    ),
    *(_write(path) for path in ("/", "/usr", "/python", "/packages", "/server", "/usr/bin/env", "/packages/torch")),
    Probe(
        "writes-settings-of-kernel",
        "writes to /proc/sys, sysrq and core_pattern",
        "D",
        """
def attack():
    names = ("sys/kernel/core_pattern", "sys/kernel/hostname", "sys/vm/drop_caches", "sys/kernel/ns_last_pid",
             "sysrq-trigger",
             "sys/net/ipv4/ip_forward", "sys/user/max_user_namespaces", "1/oom_score_adj", "1/comm")
    def write(name):
        with open(f"/proc/{name}", "wb", 0) as file:
            file.write(b"1")
    return [tried(write, name) for name in names]""",
        lambda seen: all(one in (*READ_ONLY, "ENOENT", "EINVAL") for one in seen),
    ),
    Probe(
        "control-groups",
        "the control groups' file system",
        "D",
        "def attack():\n"
        "    names = ('cgroup.procs', 'memory.max')\n"
        "    return [tried(opened, f'/sys/fs/cgroup/{name}', os.O_WRONLY) for name in names]",
        lambda seen: all(one in (*READ_ONLY, "ENOENT") for one in seen),
    ),
    Probe(
        "devices",
        "device files",
        "D",
        """
def attack():
    import stat
    made = [tried(os.mknod, f"/tmp/d{kind}", kind | 0o600, os.makedev(1, 1)) for kind in (stat.S_IFCHR, stat.S_IFBLK)]
    hardware = ("sd", "vd", "nvme", "loop", "fuse", "kvm", "mem", "net")
    return made, [name for name in os.listdir("/dev") if name.startswith(hardware)]""",
        (["EPERM", "EPERM"], []),
    ),
    Probe(
        "link-to-host",
        "links that lead out",
        "D",
        """
def attack():
    os.symlink("/../../../../etc/shadow", "link")
    os.symlink("/proc/1/root/etc/shadow", "other")
    names = ("link", "other", "/etc/shadow", "/root", "/home", "../../../etc/passwd")
    return [tried(opened, name) for name in names]""",
        lambda seen: all(one in ("ENOENT", "EACCES", "EPERM") for one in seen),
    ),
    Probe(
        "daemon",
        "a daemon by double fork in a session of its own",
        "K",
        """
def attack():
    import signal, time
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.closerange(0, 50)
                time.sleep(600)
            os._exit(0)
    time.sleep(0.1)
    return True""",
    ),
    Probe(
        "adopts-orphans",
        "a process that adopts others and outlives the call",
        "K",
        """
def attack():
    import time
    libc.prctl(36, 1, 0, 0, 0)
    if os.fork() == 0:
        libc.prctl(1, 0, 0, 0, 0)
        os.setpgid(0, 0)
        time.sleep(600)
    return True""",
    ),
    Probe(
        "cpp-extension",
        "torch.utils.cpp_extension: native code, same rules",
        "D",
        """
def attack():
    import torch.utils.cpp_extension as extension
    return tried(extension.load_inline, "x", "int f() { return 1; }", functions=["f"])""",
        lambda seen: True,
        ends=("timeout", "error", "crashed"),
        limits=PATIENT.model_copy(update={"probe_seconds": 3}),
        here=_compiler,
    ),
)
