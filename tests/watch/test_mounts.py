"""Reading what is mounted where, and what that means."""

from __future__ import annotations

import pytest

from reloader.watch import mounts

TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
30 27 0:30 / /src rw,nosuid,nodev - fuse.grpcfuse /host/under rw,user_id=0
31 27 0:31 /w\\040ith /with\\040space rw - 9p host rw,trans=fd
32 27 0:32 / /src/cache rw - tmpfs tmpfs rw
33 27 254:0 /gone//deleted /stale rw - ext4 /dev/vda rw
34 27 0:34 / /twice rw - ext4 /dev/a rw
35 34 0:35 / /twice rw - nfs4 server:/ rw
not a line of mountinfo
"""


@pytest.mark.parametrize(
    ("path", "fstype", "silent", "local"),
    [
        ("/", "ext4", False, True),
        ("/home/me/project", "ext4", False, True),
        ("/src", "fuse.grpcfuse", True, False),
        ("/src/deep/er", "fuse.grpcfuse", True, False),
        ("/src/cache/x", "tmpfs", False, True),
        ("/srcs", "ext4", False, True),
        ("/with space/x", "9p", True, False),
        ("/twice/x", "nfs4", True, False),
    ],
)
def test_the_mount_of_a_path(path: str, fstype: str, silent: bool, local: bool) -> None:
    mount = mounts.parse(TABLE).of(path)
    assert mount is not None
    assert (mount.fstype, mount.is_silent, mount.is_local) == (fstype, silent, local)


@pytest.mark.parametrize(
    "fstype",
    ["9p", "virtiofs", "fakeowner", "fuse", "fuse.sshfs", "nfs4", "cifs", "smb3", "vboxsf"],
)
def test_types_without_events(fstype: str) -> None:
    assert mounts.Mount("/", fstype, "/").is_silent


def test_neither_local_nor_silent() -> None:
    """An overlay's events come, but its lower layers are somebody else's: the audit decides."""
    mount = mounts.Mount("/", "overlay", "/")
    assert not mount.is_silent
    assert not mount.is_local


def test_nothing_known() -> None:
    assert mounts.parse("").of("/a/b") is None


def test_what_is_mounted_here() -> None:
    assert mounts.read().of("/") is not None
