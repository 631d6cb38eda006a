"""Numbers of system calls that run programs or touch files, and what an open was for.

https://github.com/torvalds/linux/blob/master/arch/x86/entry/syscalls/syscall_64.tbl and
.../include/uapi/asm-generic/unistd.h (aarch64), .../arch/x86/entry/syscalls/syscall_32.tbl
"""

_X86_64 = {
    2: "open", 59: "execve", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink",
    88: "symlink", 90: "chmod", 91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown", 132: "utime", 133: "mknod", 188: "setxattr",
    189: "lsetxattr", 190: "fsetxattr", 197: "removexattr", 198: "lremovexattr", 235: "utimes", 257: "openat", 258: "mkdirat", 259: "mknodat",
    260: "fchownat", 261: "futimesat", 263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat", 268: "fchmodat", 280: "utimensat",
    285: "fallocate", 304: "open_by_handle_at", 316: "renameat2", 322: "execveat", 437: "openat2", 452: "fchmodat2",
}  # fmt: skip
_AARCH64 = {
    5: "setxattr", 6: "lsetxattr", 7: "fsetxattr", 14: "removexattr", 15: "lremovexattr", 33: "mknodat", 34: "mkdirat", 35: "unlinkat",
    36: "symlinkat", 37: "linkat", 38: "renameat", 45: "truncate", 46: "ftruncate", 47: "fallocate", 52: "fchmod", 53: "fchmodat",
    54: "fchownat", 55: "fchown", 56: "openat", 88: "utimensat", 221: "execve", 265: "open_by_handle_at", 276: "renameat2", 281: "execveat",
    437: "openat2", 452: "fchmodat2",
}  # fmt: skip
_I386 = {
    5: "open", 8: "creat", 9: "link", 10: "unlink", 11: "execve", 14: "mknod", 15: "chmod", 16: "lchown", 30: "utime", 38: "rename",
    39: "mkdir", 40: "rmdir", 83: "symlink", 92: "truncate", 93: "ftruncate", 94: "fchmod", 193: "truncate64", 194: "ftruncate64",
    198: "lchown32", 207: "fchown32", 212: "chown32", 226: "setxattr", 295: "openat", 296: "mkdirat", 301: "unlinkat", 302: "renameat",
    303: "linkat", 304: "symlinkat", 306: "fchmodat", 320: "utimensat", 353: "renameat2", 358: "execveat", 437: "openat2",
}  # fmt: skip
_ARCHES = {b"c000003e": _X86_64, b"c00000b7": _AARCH64, b"40000003": _I386}

NAMES = {(arch, b"%d" % number): name for arch, table in _ARCHES.items() for number, name in table.items()}

RUNS = frozenset(("execve", "execveat"))
OPENS = {"open": b"a1", "openat": b"a2", "open_by_handle_at": b"a2", "openat2": b""}
"""calls that open, and the argument that bears their flags"""
FOLDERS = {("renameat", True): b"a2", ("renameat2", True): b"a2", ("linkat", True): b"a2", ("symlinkat", True): b"a1"}
"""calls (and whether of the name they make) whose folder's descriptor is not their first argument; -100 is AT_FDCWD"""
REMOVES = frozenset(("unlink", "unlinkat", "rmdir"))
RENAMES = frozenset(("rename", "renameat", "renameat2"))
LINKS = frozenset(("link", "linkat", "symlink", "symlinkat"))
ALTERS = (
    frozenset(("creat", "truncate", "truncate64", "mkdir", "mkdirat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "fchmodat2"))
    | frozenset(("chown", "chown32", "fchown", "fchown32", "lchown", "lchown32", "fchownat", "ftruncate", "ftruncate64", "fallocate"))
    | frozenset(("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "utime", "utimes", "futimesat", "utimensat"))
)
ATTRIBUTES = frozenset(
    name
    for name in ALTERS
    if name.startswith(("chmod", "fchmod", "chown", "fchown", "lchown", "utime", "futime", "setx", "lsetx", "fsetx", "removex", "lremovex"))
)
"""those of them that change what is said of a file (rights, owner, times), and not what it holds"""
KEEPS = frozenset(("fallocate",))
"""those that leave what a file held where it was"""
_TOUCHES = 0o400 | 0o4000
"""O_NOCTTY, O_NONBLOCK: with which touch(1) opens, so that nothing of a file but its times changes (gnulib, lib/fdutimens.c)"""
_EMPTYING = 0o1000
"""O_TRUNC"""
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC: the same on all three architectures"""


def writes(flags: bytes | None, base: int = 16) -> bool:
    """Tell whether an open with these flags may change the file."""
    try:
        return bool(int(flags or b"0", base) & _WRITING)
    except ValueError:
        return False


def empties(flags: bytes | None, base: int = 16) -> bool:
    """Tell whether an open with these flags begins a file anew: without, what stood in it stays."""
    try:
        return bool(int(flags or b"0", base) & _EMPTYING)
    except ValueError:
        return False


def touches(flags: bytes | None, program: str) -> bool:
    """Tell whether an open is that of touch(1), which writes nothing to a file that there is."""
    try:
        bits = int(flags or b"0", 16)
    except ValueError:
        return False
    return program in ("touch", "busybox", "coreutils") and bits & _TOUCHES == _TOUCHES and not bits & _EMPTYING
