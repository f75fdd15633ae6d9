"""Files are read and written without a wait, and never through what only looks like one."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from reloader import files
from reloader.files import SpecialFileError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


SPECIAL: list[tuple[Callable[[Path], None], str]] = [
    (fifo, "a named pipe"),
    (unix_socket, "a socket"),
    (lambda path: path.mkdir(), "a directory"),
]


@pytest.mark.parametrize(("make", "kind"), SPECIAL, ids=[kind for _, kind in SPECIAL])
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    """Reading and appending return though nobody holds the other end, and say what it is."""
    path = tmp_path / "file"
    make(path)
    for use in (
        lambda: files.read(str(path)),
        lambda: files.head(str(path), 1),
        lambda: files.append(str(path), b"x"),
    ):
        with pytest.raises(SpecialFileError) as raised:
            use()
        assert raised.value.kind == kind


def test_a_pipe_that_somebody_reads_gets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(SpecialFileError):
        files.append(str(path), b"x")
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_device_is_no_file() -> None:
    with pytest.raises(SpecialFileError, match="a device"):
        files.read("/dev/zero")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    assert files.read(str(path), 100_000) == b"x" * 100_000
    assert files.head(str(path), 3) == b"xxx"
    with pytest.raises(TooLargeError):
        files.read(str(path), 99_999)


def test_files_of_proc_are_files() -> None:
    """Their size is 0, and they hold something."""
    assert files.read("/proc/self/cmdline")


def test_a_name_that_no_file_can_have_is_an_oserror() -> None:
    for path in ("a\0b", "no/such/file"):
        with pytest.raises(OSError):
            files.read(path)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Append refuses a link, create too; replace puts a file in the place of the link."""
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_text("precious")
    link.symlink_to(precious)
    with pytest.raises(SpecialFileError, match="a link"):
        files.append(str(link), b"x")
    with pytest.raises(FileExistsError):
        files.create(str(link), b"x")
    with pytest.raises(SpecialFileError, match="a link"):
        files.read(str(link), follow=False)
    files.replace(str(link), b"new")
    assert precious.read_text() == "precious"
    assert not link.is_symlink()
    assert link.read_text() == "new"
    assert files.read(str(link), follow=False) == b"new"


def test_a_replacement_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        files.replace(str(tmp_path / "folder"), b"x")
    assert os.listdir(tmp_path) == ["folder"]


def test_append_makes_directories_and_adds_lines(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "log"
    files.append(str(path), b"one\n")
    files.append(str(path), b"two\n")
    assert path.read_text() == "one\ntwo\n"


def test_a_private_directory_is_the_users_own(tmp_path: Path) -> None:
    """Below a directory like /tmp anybody may have made it first, or put a link there."""
    mine = tmp_path / "mine"
    files.append(str(mine / "log"), b"one\n", private=True)
    assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(mine)
    with pytest.raises(OSError):
        files.append(str(tmp_path / "link" / "log"), b"x", private=True)
    mine.chmod(0o777)
    with pytest.raises(PermissionError):
        files.append(str(mine / "log"), b"x", private=True)
    assert (mine / "log").read_text() == "one\n"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make a directory of another user")
def test_another_users_directory_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 65534, 65534)
    with pytest.raises(PermissionError):
        files.append(str(theirs / "log"), b"x", private=True)
    assert os.listdir(theirs) == []
