"""The pump, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from reloader.output.pump import Pump


@pytest.fixture
def pump():
    it = Pump()
    yield it
    it.close()


def run(pump: Pump, code: str, streams: tuple[int, int], mark: bytes = b"", ticket: int = 1) -> int:
    ends = pump.open(ticket, *streams, mark)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=ends.stdout, stderr=ends.stderr, close_fds=True
    )
    ends.close()
    return child.wait(20)


@pytest.fixture
def stream():
    """A pipe that people read: its reading and its writing end."""
    reading, writing = os.pipe()
    yield reading, writing
    for fd in (reading, writing):
        os.close(fd)


def test_output_comes_out_in_order(pump, stream):
    """stdout and stderr that lead to one file are one stream, in the order of the writes."""
    reading, writing = stream
    code = "import os\nfor i in range(200): os.write(1 + i % 2, b'%d\\n' % i)"
    assert run(pump, code, (writing, writing)) == 0
    pump.flush(1)
    assert os.read(reading, 65536).split() == [b"%d" % i for i in range(200)]
    assert pump.tail(1).split() == [str(i) for i in range(200)]


def test_two_streams_stay_two(pump, stream, tmp_path):
    """What goes to stderr does not come out of stdout."""
    reading, writing = stream
    with (tmp_path / "errors").open("wb") as errors:
        run(pump, "import os; os.write(1, b'out'); os.write(2, b'err')", (writing, errors.fileno()))
        pump.flush(1)
    assert os.read(reading, 100) == b"out"
    assert (tmp_path / "errors").read_bytes() == b"err"
    assert pump.tail(1) == "outerr"


def test_a_terminal_stays_one(pump):
    """A process whose stream is a terminal finds a terminal of its size, and colours stay."""
    ours, theirs = os.openpty()
    code = "import os; os.write(1, b'\\x1b[31mred %d\\n' % os.get_terminal_size(1).columns)"
    subprocess.run(["stty", "cols", "77"], stdin=theirs, check=True)
    assert run(pump, code, (theirs, theirs)) == 0
    pump.flush(1)
    assert os.read(ours, 100) == b"\x1b[31mred 77\r\n"
    os.close(ours)
    os.close(theirs)


def test_a_hundred_megabytes(pump, stream):
    """All of it comes out."""
    reading, writing = stream
    found = []

    def read() -> None:
        while sum(found) < 100_000_000:
            found.append(len(os.read(reading, 1 << 20)))

    reader = threading.Thread(target=read)
    reader.start()
    code = "import os\nfor _ in range(1000): os.write(1, b'x' * 99_999 + b'\\n')"
    assert run(pump, code, (writing, writing)) == 0
    reader.join(30)
    assert sum(found) == 100_000_000


def test_a_reader_that_does_not_read_holds_nobody_up(pump, stream):
    """`flush` returns, though the stream is full and nobody reads."""
    _, writing = stream
    ends = pump.open(1, writing, writing)
    child = subprocess.Popen(
        [sys.executable, "-c", "import os\nwhile True: os.write(1, b'x' * 4096)"],
        stdout=ends.stdout,
        stderr=ends.stderr,
    )
    ends.close()
    pump.flush(1, within=0.2)
    child.kill()
    child.wait()
    pump.flush(1, within=0.2)


def test_a_reader_that_is_gone(pump):
    """The process goes on; its output is kept all the same."""
    reading, writing = os.pipe()
    os.close(reading)
    assert run(pump, "print('hello')", (writing, writing)) == 0
    pump.flush(1)
    assert pump.tail(1) == "hello\n"
    os.close(writing)


def test_names_before_lines(pump, stream):
    """Lines of two processes are never mixed, and each says whose it is."""
    reading, writing = stream
    code = "import os\nfor i in range(300): os.write(1, b'a' * 50); os.write(1, b'b\\n')"
    threads = [
        threading.Thread(target=run, args=(pump, code, (writing, writing), name + b" | ", number))
        for number, name in enumerate((b"api", b"web"), 1)
    ]
    for thread in threads:
        thread.start()
    data = b""
    while data.count(b"\n") < 600:
        data += os.read(reading, 65536)
    for thread in threads:
        thread.join()
    whole = {name + b" | " + b"a" * 50 + b"b" for name in (b"api", b"web")}
    assert set(data.splitlines()) == whole
