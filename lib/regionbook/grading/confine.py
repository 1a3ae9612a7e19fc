"""Linux's own means to shut a process in, called through ctypes: namespaces, Landlock, system-call filter, limits.

Sources: the man pages unshare(2), mount(2), capabilities(7), landlock(7), seccomp(2), setrlimit(2).
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

LIMITS = {
    "RLIMIT_AS": 6 << 30, "RLIMIT_NPROC": 64, "RLIMIT_FSIZE": 100 << 20, "RLIMIT_CPU": 900, "RLIMIT_NOFILE": 512,
    "RLIMIT_CORE": 0,
}  # fmt: skip
"""Bytes of address space and of a file; processes; seconds of processor; open files; no core dumps."""
NEWNS, NEWIPC, NEWPID = 0x20000, 0x8000000, 0x20000000
_NAMESPACES = 0x7E020000
_LIBC = ctypes.CDLL(None, use_errno=True)
_DENIED = {  # what a cell has no business with: sockets, memory that is nobody's, others' memory, mounts, the kernel
    "x86_64": (29, 319, 41, 101, 310, 311, 165, 166, 155, 161, 272, 308, 248, 249, 250, 321, 298, 425, 323, 304, 246, 175, 313),
    "aarch64": (194, 279, 198, 117, 270, 271, 40, 39, 41, 51, 97, 268, 217, 218, 219, 280, 241, 425, 282, 265, 104, 105, 273),
}  # fmt: skip
_DENIED_BOTH = (428, 429, 430, 431, 432, 433, 438, 442, 447)
_MACHINE = {"x86_64": (0xC000003E, 56), "aarch64": (0xC00000B7, 220)}
"""What the filter is told of a processor, and its number of ``clone``; ``clone3`` is 435 on both."""


def _checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def new_namespaces() -> None:
    """Give this process mounts and messages of its own, and its next child processes of their own."""
    _checked(_LIBC.unshare(NEWNS | NEWIPC | NEWPID), "unshare")
    _checked(_LIBC.mount(b"none", b"/", None, 0x4000 | 0x40000, None), "private mounts")


def fresh_folders(sizes: dict[str, int]) -> None:
    """Mount an empty folder in memory, of so many bytes, at each path; and the own processes at ``/proc``."""
    for path, size in sizes.items():
        how = f"size={size},mode=1777".encode()
        _checked(_LIBC.mount(b"tmpfs", path.encode(), b"tmpfs", 0x2 | 0x4, how), path)
    if _LIBC.mount(b"proc", b"/proc", b"proc", 0x2 | 0x4 | 0x8, None):  # a container may forbid it: none then
        _checked(_LIBC.mount(b"tmpfs", b"/proc", b"tmpfs", 0x1, b"size=4k"), "/proc")


def drop_rights(user: int) -> None:
    """Give up all capabilities for good, and be ``user`` from now on if that is not 0."""
    for capability in range(64):
        _LIBC.prctl(24, capability, 0, 0, 0)  # bounding set; not there, or not ours to drop
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _LIBC.prctl(47, 4, 0, 0, 0)  # ambient set
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _checked(_LIBC.capset(header, none), "capset")
    _checked(_LIBC.prctl(38, 1, 0, 0, 0), "no new privileges")
    _LIBC.prctl(1, 9, 0, 0, 0)  # die with the parent


def limit(**other: int) -> None:
    """Set `LIMITS`, some of them otherwise."""
    for name, value in (LIMITS | other).items():
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def filter_calls() -> None:
    """Refuse system calls that no cell needs; nothing on a processor whose numbers are not known here."""
    machine = platform.machine()
    if machine not in _DENIED:
        return
    arch, clone = _MACHINE[machine]
    refuse, unknown, allow = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS, 0x7FFF0000
    load, equal, least, bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    program = [(load, 0, 0, 4), (equal, 1, 0, arch), (give, 0, 0, 0x80000000), (load, 0, 0, 0)]
    program += [(least, 0, 1, 0x40000000), (give, 0, 0, refuse)]  # x32, a second door to the same calls
    for number in (*_DENIED[machine], *_DENIED_BOTH):
        program += [(equal, 0, 1, number), (give, 0, 0, refuse)]
    program += [(equal, 0, 1, 435), (give, 0, 0, unknown)]  # its flags are not seen; libc falls back to clone
    program += [(equal, 0, 3, clone), (load, 0, 0, 16), (bits, 0, 1, _NAMESPACES), (give, 0, 0, refuse)]
    program.append((give, 0, 0, allow))
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code, len(code))
    filters = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(held))
    _checked(_LIBC.prctl(22, 2, filters, 0, 0), "seccomp")


def landlock(read: Iterable[str], write: Iterable[str]) -> None:
    """Let this process and its children reach these paths and no others, and no TCP port.

    An OSError if the kernel has no Landlock, or one older than version 4 (Linux 6.7), which leaves TCP open.
    """
    version = _LIBC.syscall(444, None, 0, 1)
    if version < 4:
        why = f"Landlock here is of version {version}; 4 (Linux 6.7) is the first that closes TCP"
        raise OSError(errno.ENOSYS, why)
    everything, reading = (1 << 16) - 1, 1 << 0 | 1 << 2 | 1 << 3
    of_files = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
    # TCP: bind and connect; from version 6 abstract sockets and signals
    rules = struct.pack("QQQ", everything, 3, 3)
    ruleset = _LIBC.syscall(444, rules, 24 if version >= 6 else 16, 0)
    for paths, access in ((read, reading), (write, everything & ~(1 << 6 | 1 << 11))):  # no device nodes
        for path in (p for p in paths if Path(p).exists()):
            at = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = access if Path(path).is_dir() else access & of_files
            _checked(_LIBC.syscall(445, ruleset, 1, struct.pack("=Qi", allowed, at), 0), path)
            os.close(at)
    _checked(_LIBC.prctl(38, 1, 0, 0, 0), "no new privileges")
    _checked(_LIBC.syscall(446, ruleset, 0), "landlock_restrict_self")


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ended, where the system knows of that."""
    if sys.platform == "linux":
        _checked(_LIBC.prctl(36, 1, 0, 0, 0), "subreaper")
