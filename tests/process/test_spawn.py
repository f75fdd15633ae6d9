"""What a child gets from us, and what is said when there is none."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from reloader.command.parse import Command, parse_line
from reloader.process import tree
from reloader.process.children import SpawnError
from reloader.process.mark import NAME
from reloader.process.spec import NULL, SpawnSpec
from tests.helpers.until import until
from tests.process.lab import PYTHON, Lab, ignoring, lives, program, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON_PRINTS = (*PYTHON, "-c")


def script(path: Path, text: str | bytes, mode: int = 0o755) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def failure(lab: Lab, *argv: str, **environ: str) -> SpawnError:
    with pytest.raises(SpawnError) as raised:
        lab.start(Command(argv), environ or None)
    return raised.value


# --- what it gets --------------------------------------------------------------------------------


def test_a_child_holds_no_descriptor_but_three(lab: Lab) -> None:
    """Also none of those that we inherited ourselves without close-on-exec."""
    lines = run_program(
        """
        os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
        lab = Lab(Path("/"))
        os.set_inheritable(lab.mouth, True)  # a negative control: what is opened later and told so
        lab.sh("ls /proc/self/fd | tr '\\\\n' ' '; echo")
        lab.hear("0 1 2 3 %d" % lab.mouth)
        os.set_inheritable(lab.mouth, False)
        lab.sh("ls /proc/self/fd | tr '\\\\n' ' '; echo")
        lab.hear("0 1 2 3 ")  # 3 is the folder that ls lists
        print(lab.ear.lines)
        """
    )
    assert lines == ["[]"]


@pytest.mark.parametrize(
    ("streams", "out", "err"),
    [((-1, 1, 2), "O", "E"), ((-1, 2, 1), "E", "O"), ((-1, 1, 1), "OE", ""), ((0, 2, 2), "", "OE")],
)
def test_streams_may_be_crossed(streams: tuple[int, int, int], out: str, err: str) -> None:
    """With --json the app's standard output goes to our standard error."""
    done = program(
        f"""
        from reloader.process.children import Children
        children = Children("0")
        line = "printf O; printf E >&2"
        children.spawn(1, SpawnSpec(("/bin/sh", "-c", line), os.environ, "/", {streams}))
        until(children.collect)
        """
    )
    assert (done.stdout, done.stderr) == (out, err)


def signals_of_a_child(*ignored: str) -> dict[str, set[int]]:
    """The signals that are blocked and ignored in a child, when a shell left us some ignored."""
    lines = run_program(
        """
        from reloader.process.bootstrap import block
        block()
        lab = Lab(Path("/"))
        lab.exited(lab.sh("exec grep -E '^Sig(Blk|Ign)' /proc/self/status"))
        lab.ear.listen(1)
        print(*lab.ear.lines, sep="\\n")
        """,
        *ignoring(*ignored),
    )
    found = {}
    for line in lines:
        kind, bits = line.split()
        # glibc's posix_spawn ignores its own two, 32 and 33, in every child
        found[kind] = {n for n in range(1, 65) if int(bits, 16) >> (n - 1) & 1} - {32, 33}
    return found


def test_a_child_has_no_signal_blocked_or_ignored() -> None:
    """Whatever we hold back ourselves, Python ignores, or a shell's `trap '' X` left us."""
    found = signals_of_a_child("INT", "QUIT", "TERM", "USR1", "CHLD", "PIPE", "TSTP")
    assert found == {"SigBlk:": set(), "SigIgn:": set()}


def test_nohup_is_meant_for_the_child_too() -> None:
    assert signals_of_a_child("HUP", "INT")["SigIgn:"] == {signal.SIGHUP}


def test_a_child_leads_a_group_of_its_own_in_our_session(lab: Lab) -> None:
    lab.start("say ready pause")
    lab.hear("ready")
    assert (os.getpgid(lab.pid), os.getsid(lab.pid)) == (lab.pid, os.getsid(0))


@pytest.mark.parametrize(
    "words",
    [
        ("", "a b", "*.toml", "$HOME", "x;echo PWN", "é\n", "-rf", "'\"\\"),
        (os.fsdecode(b"\xff\xfe"), os.fsdecode(b"caf\xe9")),
    ],
)
def test_arguments_arrive_byte_for_byte(lab: Lab, words: tuple[str, ...]) -> None:
    code = r"import os, sys; os.write(1, b'\0'.join(map(os.fsencode, sys.argv[1:])) + b'\n\n')"
    lab.start(Command((*PYTHON_PRINTS, code, *words)))
    lab.hear("")
    want = "\0".join(os.fsencode(w).decode(errors="replace") for w in words)
    heard = "\n".join(lab.ear.lines)
    while heard.count("\n") < want.count("\n"):
        lab.ear.listen(1)
        heard = "\n".join(lab.ear.lines)


def test_the_environment_is_the_callers_and_our_mark(lab: Lab) -> None:
    """Byte for byte; what the command sets itself wins; our own is not touched."""
    before = dict(os.environ)
    odd = os.fsdecode(b"\xff=\xe9 ")
    environ = {"PATH": os.environ["PATH"], "ODD": odd, "A": "outer", NAME: "outer:7"}
    ticket = lab.start(parse_line("A=inner /usr/bin/env -0"), environ)
    lab.exited(ticket)
    lab.ear.listen(1)
    said = lab.ear._rest
    assert dict(entry.split(b"=", 1) for entry in said.split(b"\0") if entry) == {
        b"PATH": os.environ["PATH"].encode(),
        b"ODD": os.fsencode(odd),
        b"A": b"inner",
        NAME.encode(): f"outer:7,{lab.run}:{ticket}".encode(),
    }
    assert dict(os.environ) == before


def test_it_runs_in_its_folder(lab: Lab, tmp_path: Path) -> None:
    lab.sh("pwd")
    lab.hear(str(tmp_path))


def test_the_programs_path_is_the_childs(lab: Lab, tmp_path: Path) -> None:
    """Relative entries of the PATH, and an empty one, count from the folder it runs in."""
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "tool", "#!/bin/sh\necho tool in bin\n")
    for path in ("/nowhere:bin", f"{tmp_path}/bin"):
        lab.start(Command(("tool",)), {"PATH": path})
        lab.hear("tool in bin")
    script(tmp_path / "tool", "#!/bin/sh\necho tool here\n")
    lab.start(Command(("tool",)), {"PATH": ""})
    lab.hear("tool here")


# --- what is said --------------------------------------------------------------------------------


def test_a_missing_program_is_named(lab: Lab, tmp_path: Path) -> None:
    error = failure(lab, "no-such-tool")
    assert (error.why, error.hint) == ("no-such-tool: not found on the PATH", "is it installed?")
    error = failure(lab, "./tmp/main")
    assert (error.why, error.hint) == ("./tmp/main: not found", "did the build make it?")
    script(tmp_path / "app.py", "", 0o644)
    assert failure(lab, "app.py").hint == "did you mean ./app.py?"
    (tmp_path / "link").symlink_to("nowhere")
    assert failure(lab, "./link").why == "./link: a link to nothing"
    assert failure(lab, "").why == "'': not found on the PATH"
    assert not error.passing


def test_a_program_that_may_not_run_is_named(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert failure(lab, "./folder").why == "./folder: is a folder"
    script(tmp_path / "plain", "#!/bin/sh\n", 0o644)
    error = failure(lab, "./plain")
    assert (error.why, error.hint) == ("./plain: not executable", "chmod +x ./plain")
    assert failure(lab, "plain", PATH=str(tmp_path)).why == f"{tmp_path}/plain: not executable"


def test_a_missing_interpreter_is_named(lab: Lab, tmp_path: Path) -> None:
    script(tmp_path / "one", "#! /no/such/python -u\n")
    assert failure(lab, "./one").why.endswith(
        "one: its #! line names /no/such/python, which is missing"
    )
    script(tmp_path / "two", "#!/bin/sh\r\necho hi\r\n")
    assert failure(lab, "./two").hint == "save it with LF, not CRLF"
    script(tmp_path / "three", "#!./one-without-x\n")
    script(tmp_path / "one-without-x", "", 0o644)
    assert failure(lab, "./three").hint == "may ./one-without-x be executed?"


def test_a_missing_loader_is_named(lab: Lab, tmp_path: Path) -> None:
    """A program built against musl where there is glibc, or the other way round."""
    program = bytearray(os.fsencode(""))
    with open("/bin/sleep", "rb") as file:
        program += file.read()
    for loader in (b"/lib64/ld-linux-x86-64.so.2", b"/lib/ld-linux-aarch64.so.1"):
        program = program.replace(loader, loader.replace(b"ld-linux", b"ld-nosys"))
    if b"ld-nosys" not in program:
        pytest.skip("another loader")
    script(tmp_path / "alien", bytes(program))
    error = failure(lab, "./alien")
    assert "needs the loader /lib" in error.why
    assert "musl" in error.hint


def test_a_foreign_program_is_named(lab: Lab, tmp_path: Path) -> None:
    script(tmp_path / "app.exe", b"MZ\x90\0\3\0\0\0")
    assert failure(lab, "./app.exe").why.endswith("a program for Windows")
    with open("/bin/sleep", "rb") as file:
        program = bytearray(file.read())
    program[18:20] = b"\xf3\xf3"  # e_machine
    script(tmp_path / "other", bytes(program))
    assert failure(lab, "./other").why.endswith("a program for another kind of machine")
    script(tmp_path / "junk", b"\0\1\2\3")
    assert failure(lab, "./junk").why.endswith("neither a program nor a script")


def test_a_script_without_a_first_line_is_run_by_sh(lab: Lab, tmp_path: Path) -> None:
    script(tmp_path / "bare", 'echo "$#:$1:$2"\n')
    lab.start(Command(("./bare", "a b", "")))
    lab.hear("2:a b:")
    script(tmp_path / "empty", "")
    assert lab.exited(lab.start(Command(("./empty",)))).status.ok


def test_what_can_not_be_told_to_the_kernel_is_named(lab: Lab, tmp_path: Path) -> None:
    assert "encoded" in failure(lab, "/bin/echo", "a\0b").why
    assert failure(lab, "/bin/true", "x" * 3_000_000).why.endswith("too long")
    lab.cwd = str(tmp_path / "gone")
    assert failure(lab, "/bin/true").why.endswith("gone: No such file or directory")


def test_a_program_that_is_being_written_may_come_right(lab: Lab, tmp_path: Path) -> None:
    with open("/bin/true", "rb") as file:
        script(tmp_path / "main", file.read())
    with open(tmp_path / "main", "ab"):
        error = failure(lab, "./main")
    assert error.passing
    assert error.why.endswith("still being written")
    assert lab.exited(lab.start(Command(("./main",)))).status.ok


@pytest.fixture
def no_descriptor_left(lab: Lab) -> Iterator[None]:
    """Every descriptor that the limit allows is open."""
    lab.exited(lab.line("/bin/true"))  # all is imported
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (lab.mouth + 20, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                used.append(os.dup(lab.mouth))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in used:
            os.close(descriptor)


@pytest.mark.usefixtures("no_descriptor_left")
def test_a_process_is_started_though_no_descriptor_is_left(lab: Lab) -> None:
    ticket = lab.start(Command(("/bin/true",)))
    assert until(lab.children.collect)
    assert not lab.children.has(ticket)


@pytest.mark.usefixtures("no_descriptor_left")
def test_a_tree_is_ended_though_no_descriptor_is_left(lab: Lab) -> None:
    """Daemons included: that /proc can't be opened is never taken for an empty tree."""
    ticket = lab.start("daemon [ deaf TERM say kid pause ] loud TERM say ready pause")
    kid, app = lab.hear("kid"), lab.hear("ready")
    assert lab.children.survivors(ticket) == 1
    lab.children.stop(ticket, signal.SIGTERM)
    assert lab.hear("got TERM") == app
    lab.kill(ticket)
    until(lambda: not lives(kid) and not lives(app))


def test_an_error_of_proc_is_no_empty_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the process group stands for the tree, that is told once, and no tree is empty."""
    ticket = lab.start("fork [ deaf TERM say kid pause ] say ready exit 0")
    kid = lab.hear("kid")
    with monkeypatch.context() as broken:
        broken.setattr(tree, "_whole", lambda path: raise_(OSError(errno.EIO, "broken", path)))
        assert lab.exited(ticket).survivors == 1
        lab.kill(ticket)
        until(lambda: not lives(kid))
        assert not lab.has_emptied(ticket)
    lab.emptied(ticket)
    (text,) = [fact.news.text for fact in lab.facts if hasattr(fact, "news")]
    assert text.startswith("/proc can't be read: broken")


def raise_(error: OSError) -> None:
    raise error


@pytest.mark.usefixtures("no_descriptor_left")
def test_limits_may_pass_and_nothing_leaks(lab: Lab) -> None:
    """100 failures in a row for want of descriptors: crossed streams need a copy."""
    spec = SpawnSpec(("/bin/true",), os.environ, "/", (1, 0, 2))
    for _ in range(100):
        with pytest.raises(SpawnError) as raised:
            lab.children.spawn(1, spec)
        assert (raised.value.why, raised.value.passing) == ("too many open files", True)
    assert not lab.children.alive()


def test_further_descriptors_get_their_numbers(lab: Lab) -> None:
    """In whatever order they are given, one the other's number; and no others come along."""
    ends = [os.pipe() for _ in range(3)]
    reads, (one, two, three) = [r for r, _ in ends], [w for _, w in ends]
    crossed = ((one, two), (two, one), (three, 9))
    line = f"printf one >&{two}; printf two >&{one}; printf three >&9; ls /proc/self/fd | wc -w"
    spec = SpawnSpec(
        ("/bin/bash", "-c", line), os.environ, lab.cwd, (NULL, lab.mouth, lab.mouth), crossed
    )
    lab.children.spawn(1, spec)
    assert lab.hear("") == 7  # 0, 1, 2, the three, and the directory that ls reads
    assert [os.read(read, 9) for read in reads] == [b"one", b"two", b"three"]
    assert lab.exited(1).status.ok
    for descriptor in (*reads, one, two, three):
        os.close(descriptor)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become a user that has no processes")
def test_too_many_processes_may_pass() -> None:
    lines = run_program(
        """
        import resource
        from reloader.process.children import SpawnError
        lab = Lab(Path("/"))
        lab.exited(lab.sh("exit 0"))  # imports all: the other user may not read this checkout
        os.setresuid(54321, 54321, 54321)
        most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        resource.setrlimit(resource.RLIMIT_NPROC, (1, most))
        try:
            lab.sh("exit 0")
        except SpawnError as error:
            print(error.why, error.passing)
        resource.setrlimit(resource.RLIMIT_NPROC, (100, most))
        print(lab.exited(lab.sh("exit 5")).status.code)
        """
    )
    assert lines == ["too many processes True", "5"]
