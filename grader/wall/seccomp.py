"""The system calls that student code never needs, denied by a filter that libseccomp builds.

Sources: the kernel's `include/uapi`, and the lists of Docker's default profile and of Flatpak, which deny the same
families: namespaces and mounts, other processes' memory, kernel keys and programs, new asynchronous interfaces.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import tempfile

from grader import UnsafeError

DENIED = tuple(
    """
    _sysctl acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module
    flock fsconfig fsmount fsopen fspick init_module inotify_init inotify_init1 io_destroy io_getevents io_setup
    io_submit io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
    landlock_create_ruleset lookup_dcookie mbind memfd_create memfd_secret migrate_pages modify_ldt mount
    mount_setattr move_mount move_pages mq_open msgget name_to_handle_at open_by_handle_at open_tree perf_event_open
    personality pidfd_getfd pidfd_open pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl
    quotactl_fd reboot request_key semget set_mempolicy setdomainname sethostname setns settimeofday shmat shmctl
    shmget swapoff swapon sysfs syslog umount2 unshare uselib userfaultfd ustat vhangup vmsplice
    """.split()
)
NAMESPACE_FLAGS = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
# what submissions that are graded at once could signal with through the files that all of them see:
# F_GETLK, F_SETLK, F_SETLKW, their F_OFD_ forms, F_SETLEASE, F_GETLEASE, F_NOTIFY (flock and inotify stand above)
LOCKS_AND_NOTICES = (5, 6, 7, 36, 37, 38, 1024, 1025, 1026)
ALLOWED_SOCKETS = (socket.AF_UNIX,)


@functools.cache
def program() -> bytes:
    """The filter as the kernel takes it: an array of `sock_filter`, for this machine's architecture alone."""
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError):
        raise UnsafeError(
            "libseccomp is not installed; on Debian and Ubuntu run: sudo apt-get install libseccomp2"
        ) from None
    deny = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)  # another architecture's calls: 32-bit, x32
    for name in DENIED:
        try:
            rules.add_rule(deny, name)
        except (ValueError, OSError):
            continue  # this libseccomp, or this architecture, does not know it
    # clone3's flags lie in memory, where no filter can look: it does not exist here, so clone is used
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in NAMESPACE_FLAGS:
        rules.add_rule(deny, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    for request in TERMINAL_INJECTION:
        rules.add_rule(deny, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    for command in LOCKS_AND_NOTICES:
        rules.add_rule(deny, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, command))
    # the limits of another process, the server among them: it has the same user
    rules.add_rule(deny, "prlimit64", seccomp.Arg(0, seccomp.NE, 0))
    for family in range(64):
        if family not in ALLOWED_SOCKETS:
            for call in ("socket", "socketpair"):  # the kernel looks at the lower half of the word only
                rules.add_rule(deny, call, seccomp.Arg(0, seccomp.MASKED_EQ, 0xFFFFFFFF, family))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def available() -> bool:
    """Whether the filter can be built here."""
    try:
        return bool(program()) and os.name == "posix"
    except UnsafeError:
        return False
