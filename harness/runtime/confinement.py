"""A process without a network that can write to no file: Linux' namespaces, where the system lends them.

What its code starts is confined with it. Files that it needs for a moment it may keep in memory, under `SCRATCH`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path

SCRATCH = Path("/dev/shm")
"""Where a confined process may write; it begins empty, and ends with the process."""
SCRATCH_SIZE = "1g"

_NEW_USERS, _NEW_MOUNTS, _NEW_NETWORK, _NEW_MESSAGES = 0x10000000, 0x00020000, 0x40000000, 0x08000000
"""CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET and CLONE_NEWIPC."""
_PRIVATE = (1 << 14) | (1 << 18)
"""MS_REC | MS_PRIVATE: what is mounted here is mounted nowhere else."""
_NO_DEVICES = 2 | 4
"""MS_NOSUID | MS_NODEV."""
_MOUNT_SETATTR = 442
"""The number of the system call, the same on every machine; libraries of before 2022 have no function for it."""
_HERE, _RECURSIVE, _READ_ONLY = -100, 0x8000, 1
"""AT_FDCWD, AT_RECURSIVE and MOUNT_ATTR_RDONLY."""

_SET_DUMPABLE = 4
"""PR_SET_DUMPABLE of prctl."""


class _MountAttributes(ctypes.Structure):
    """struct mount_attr of Linux."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def confine() -> None:
    """Take the network and all writing to files from this process, for good; it may have one thread alone.

    Raises:
        OSError: The system does not lend that.
    """
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} has no namespaces")
    library = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _check(library.unshare(_NEW_USERS | _NEW_MOUNTS | _NEW_NETWORK | _NEW_MESSAGES), "unshare")
    _stay(user, group)
    _check(library.mount(None, b"/", None, _PRIVATE, None), "mount")
    _set_attributes(library, b"/", _RECURSIVE, _MountAttributes(attr_set=_READ_ONLY))
    _set_attributes(library, b"/proc", 0, _MountAttributes(attr_clr=_READ_ONLY))  # the second namespace begins there
    scratch, options = os.fsencode(SCRATCH), f"size={SCRATCH_SIZE},mode=0700".encode("ascii")
    _check(library.mount(b"tmpfs", scratch, b"tmpfs", _NO_DEVICES, options), "mount")
    # In a second namespace the first one's mounts are locked: whoever is root here cannot make them writable again.
    _check(library.unshare(_NEW_USERS | _NEW_MOUNTS), "unshare")
    _stay(user, group)
    os.environ["TMPDIR"] = str(SCRATCH)
    tempfile.tempdir = None


def hide_memory() -> None:
    """Let no other process read or write the memory of this one, where the system can: its user owns confined ones."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0)


def _set_attributes(library: ctypes.CDLL, path: bytes, flags: int, attributes: _MountAttributes) -> None:
    """Change what is mounted at a path. Raises OSError."""
    arguments = (_HERE, path, flags, ctypes.byref(attributes), ctypes.sizeof(attributes))
    _check(library.syscall(_MOUNT_SETATTR, *arguments), "mount_setattr")


def _check(result: int, call: str) -> None:
    """Raise OSError where a call of the system failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _stay(user: int, group: int) -> None:
    """Let the user of a new namespace be the one that it was outside."""
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
