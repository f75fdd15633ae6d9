"""An app's ports through starts and swaps, with real sockets and real processes."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from reloader.sockets import group
from reloader.sockets.address import Address
from reloader.sockets.hold import INSIDE
from reloader.sockets.own_port import COUNT, FIRST, own_port
from tests.helpers.until import until
from tests.sockets.rig import PYTHON, SERVER, ask, free_port, refused

if TYPE_CHECKING:
    from tests.sockets.rig import Rig


@pytest.fixture
def port() -> int:
    return free_port()


def at(port: int, host: str = "127.0.0.1") -> str:
    return f"{host}:{port}"


# --- at rest: as without reloader ------------------------------------------------------------------


def test_the_first_start_serves_and_its_port_ends_with_it(rig: Rig, port: int) -> None:
    """At rest reloader holds nothing: what the app closes is refused."""
    first = rig.server("one", at(port))
    assert ask(port) == "one"
    assert rig.told == [first]
    assert [str(place.address) for place in rig.ports.served(first)] == [at(port)]
    rig.stop(first)
    assert refused(port)


def test_a_port_appears_when_the_app_listens_and_not_before(rig: Rig, port: int) -> None:
    """Who waits for the port, as a health check does, finds what it found without reloader."""
    code = f"import socket; s = socket.socket(); s.bind(('127.0.0.1', {port})); print('bound', flush=True); input() or s.listen(); input()"
    read, write = os.pipe()
    rig.python(code.replace("input()", "__import__('signal').pause()"), stdout=write)
    assert os.read(read, 9) == b"bound\n"
    assert refused(port)


def test_a_strangers_port_is_the_apps_own_error(rig: Rig, port: int) -> None:
    """The errno of the bind is passed on, also if the stranger would share the port."""
    for shares in (0, 1):
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
            stranger.bind(("127.0.0.1", port))
            stranger.listen()
            code = f"import socket\ntry: socket.create_server(('127.0.0.1', {port}))\nexcept OSError as e: raise SystemExit(e.errno)"
            assert rig.wait(rig.python(code)) == 98


def test_two_servers_of_one_app_do_not_share_a_port(rig: Rig, port: int) -> None:
    """The second bind of an address in one tree is refused, in the first start and in a swap."""
    code = SERVER.split("while")[0] + (
        "try: socket.create_server(('127.0.0.1', int(addresses[0].rsplit(':')[-1])))\n"
        "except OSError as e: raise SystemExit(e.errno)"
    )
    assert rig.wait(rig.python(code, "one", at(port))) == 98
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    assert rig.wait(rig.python(code, "two", at(port))) == 98


def test_udp_unix_and_port_0_are_left_alone(rig: Rig, port: int, tmp_path) -> None:
    code = f"""
import os, socket
inode = lambda s: os.fstat(s.fileno()).st_ino
udp, unix, any_port = socket.socket(type=2), socket.socket(1), socket.socket()
before = [inode(s) for s in (udp, unix, any_port)]
udp.bind(('127.0.0.1', {port})); unix.bind({str(tmp_path / "s")!r}); any_port.bind(('', 0)); any_port.listen()
assert before == [inode(s) for s in (udp, unix, any_port)]
tcp = socket.socket(); was = inode(tcp); tcp.bind(('127.0.0.1', {port})); tcp.listen()
assert inode(tcp) != was and tcp.getsockname() == ('127.0.0.1', {port})  # negative control
"""
    assert rig.wait(rig.python(code)) == 0


def test_the_apps_flags_stay(rig: Rig, port: int) -> None:
    """Close-on-exec, non-blocking and the IPv6 option are those of the app's own socket."""
    code = f"""
import fcntl, os, socket
for blocking in (True, False):
    for inheritable in (True, False):
        for v6only in (0, 1):
            s = socket.socket(socket.AF_INET6)
            s.setsockopt(41, 26, v6only)
            s.setblocking(blocking); s.set_inheritable(inheritable)
            s.bind(('::', {port})); s.listen()
            assert os.get_blocking(s.fileno()) is blocking
            assert s.get_inheritable() is inheritable
            assert s.getsockopt(41, 26) == v6only
            assert s.getsockname()[:2] == ('::', {port})
            s.close()
"""
    assert rig.wait(rig.python(code)) == 0


def test_v4_and_v6_on_one_port(rig: Rig, port: int) -> None:
    """An app may bind both by itself, as Node and nginx do; each is held."""
    code = f"""
import socket, signal
six = socket.socket(socket.AF_INET6); six.setsockopt(41, 26, 1); six.bind(('::', {port})); six.listen()
four = socket.socket(); four.bind(('0.0.0.0', {port})); four.listen()
signal.pause()
"""
    start = rig.python(code)
    rig.listening(start, 2)
    found = rig.ports.served(start)
    assert sorted(str(place.address) for place in found) == [f"0.0.0.0:{port}", f"[::]:{port}"]


# --- replace: parked, old out, new in --------------------------------------------------------------


def test_who_comes_in_a_swap_waits_for_the_next_start(rig: Rig, port: int) -> None:
    """Parked: the old one gets nobody new, nobody is refused, the new one answers them all."""
    first = rig.server("one", at(port))
    assert [str(address) for address in rig.ports.park()] == [at(port)]
    answers: list[str] = []
    waiting = [threading.Thread(target=lambda: answers.append(ask(port))) for _ in range(20)]
    for client in waiting:
        client.start()
    rig.stop(first)
    assert not answers
    second = rig.server("two", at(port))
    for client in waiting:
        client.join(10)
    assert answers == ["two"] * 20
    rig.ports.steer(second)
    assert ask(port) == "two"
    rig.stop(second)
    assert refused(port)  # settled, it is as at rest


def test_ten_swaps_lose_nobody(rig: Rig, port: int) -> None:
    """A client in a closed loop is refused and reset by none of ten swaps of a server that dies."""
    over, answers, lost = threading.Event(), [], []

    def client() -> None:
        while not over.is_set():
            try:
                answers.append(ask(port))
            except OSError as error:
                lost.append(error)

    now = rig.server("0", at(port))
    clients = [threading.Thread(target=client) for _ in range(4)]
    for it in clients:
        it.start()
    for number in range(1, 11):
        rig.ports.park()
        old = rig.ports.served(now)[0].inode
        until(lambda old=old: not waits_on(old))
        rig.stop(now)
        now = rig.server(str(number), at(port))
        rig.ports.steer(now)
        until(lambda number=number: answers[-1] == str(number))
    over.set()
    for it in clients:
        it.join(10)
    assert not [error for error in lost if "reset" not in str(error)]
    assert set(answers) == set(map(str, range(11)))


def waits_on(inode: int) -> int:
    from reloader.sockets import diag

    return next((it.waiting for it in diag.listening() if it.inode == inode), 0)


def test_nothing_is_coming(rig: Rig, port: int) -> None:
    """Released, a client is refused at once: by a start that fails, and when none is begun."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    assert not refused(port)
    rig.ports.release()
    assert refused(port)
    second = rig.server("two", at(port))
    rig.ports.park()
    rig.stop(second)
    broken = rig.python("raise SystemExit(3)")
    assert rig.wait(broken) == 3
    assert refused(port)


def test_a_start_that_is_replaced_hands_on_who_waits(rig: Rig, port: int) -> None:
    """A save while the next start is coming up: the one after it gets those that wait."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(ask(port)))
    client.start()
    slow = rig.python("import signal; signal.pause()")
    rig.ports.park()
    rig.stop(slow)
    rig.server("three", at(port))
    client.join(10)
    assert answers == ["three"]


def test_an_app_that_moves_its_port(rig: Rig, port: int) -> None:
    """What the new start has not bound is closed when it is ready; the new port is its own."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    other = free_port()
    second = rig.server("two", at(other))
    assert not refused(port)
    rig.ports.steer(second)
    assert refused(port)
    assert ask(other) == "two"


def test_an_app_that_changes_the_host_of_its_port(rig: Rig, port: int) -> None:
    """From all interfaces to one and back: what is parked is in nobody's way."""
    now = rig.server("0", at(port))
    for number, host in enumerate(("0.0.0.0", "127.0.0.1", "::", "127.0.0.1"), 1):
        rig.ports.park()
        rig.stop(now)
        now = rig.server(str(number), at(port, host))
        rig.ports.steer(now)
        assert ask(port) == str(number)


def test_a_port_that_the_app_has_closed_is_not_parked(rig: Rig, port: int) -> None:
    code = f"""
import socket, signal
s = socket.create_server(('127.0.0.1', {port}))
signal.sigwait({{signal.SIGUSR1}})
s.close()
signal.pause()
"""
    start = rig.python("import signal; signal.pthread_sigmask(0, {signal.SIGUSR1})" + code)
    rig.listening(start)
    os.kill(rig.pids[start], signal.SIGUSR1)
    until(lambda: refused(port))
    assert rig.ports.park() == ()


def test_a_program_that_looks_whether_the_port_is_free(rig: Rig, port: int) -> None:
    """Binds, closes, and binds again, as port finders do: who waits is answered all the same."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(ask(port)))
    client.start()
    look = f"import socket; socket.create_server(('127.0.0.1', {port})).close()\n"
    rig.python(look + SERVER, "two", at(port))
    client.join(10)
    assert answers == ["two"]


# --- a process that takes the filter itself: it was forked elsewhere -------------------------------


def test_a_process_that_takes_the_filter_itself(rig: Rig, port: int) -> None:
    """What it starts gets its socket from here; it is held through a swap as any other."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(ask(port)))
    client.start()
    call, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    enter = (
        "import os, socket, sys\n"
        "scope = {}\n"
        "exec(open(sys.argv[1]).read(), scope)\n"
        "call = socket.socket(fileno=int(sys.argv[2]))\n"
        "scope['enter'](call, call.recv(4096))\n"
        "call.close()\n"
        "os.execv(sys.executable, [sys.executable, '-IS', '-c', *sys.argv[3:]])\n"
    )
    argv = [*PYTHON, "-c", enter, INSIDE, str(theirs.fileno()), SERVER, "two", at(port)]
    with call, theirs:
        os.set_inheritable(theirs.fileno(), True)
        rig.pids[2] = os.posix_spawn(argv[0], argv, os.environ, setpgroup=0)
        theirs.close()
        rig.hold.meet(2, call)
    client.join(10)
    assert answers == ["two"]
    assert rig.hold.why_not is None
    until(lambda: [str(place.address) for place in rig.ports.served(2)] == [at(port)])


@pytest.mark.parametrize("answer", [b"", None])
def test_a_process_that_does_not_answer(rig: Rig, port: int, answer: bytes | None) -> None:
    """Its Python has no ctypes, or it is gone: nobody is left waiting, and the next is asked again."""
    first = rig.server("one", at(port))
    rig.ports.park()
    rig.stop(first)
    assert not refused(port)
    call, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with call, theirs:
        theirs.close() if answer is None else theirs.send(answer)
        rig.hold.meet(2, call)
    assert rig.hold.why_not
    assert refused(port)
    rig.server("three", at(port))
    assert rig.hold.why_not is None
    assert ask(port) == "three"


# --- overlap: new before old ------------------------------------------------------------------------


def test_new_before_old(rig: Rig, port: int) -> None:
    """The old one is asked until the new one is steered to; a candidate that ends changes nothing."""
    first = rig.server("one", at(port))
    failed = rig.server("bad", at(port))
    assert {ask(port) for _ in range(50)} == {"one"}
    rig.stop(failed)
    assert {ask(port) for _ in range(50)} == {"one"}
    second = rig.server("two", at(port))
    assert {ask(port) for _ in range(50)} == {"one"}
    rig.ports.steer(second)
    assert {ask(port) for _ in range(50)} == {"two"}
    rig.stop(first)
    rig.ports.steer(second)
    assert {ask(port) for _ in range(50)} == {"two"}
    third = rig.server("three", at(port))
    assert {ask(port) for _ in range(50)} == {"two"}
    rig.ports.steer(third)
    rig.stop(second)
    assert {ask(port) for _ in range(50)} == {"three"}


def test_one_of_three_ends(rig: Rig, port: int) -> None:
    """The others take other numbers in the group; new connections go on to the newest alone."""
    first, second = rig.server("one", at(port)), rig.server("two", at(port))
    rig.ports.steer(second)
    third = rig.server("three", at(port))
    rig.ports.steer(third)
    rig.stop(first)
    assert {ask(port) for _ in range(50)} == {"three"}
    fourth = rig.server("four", at(port))
    assert {ask(port) for _ in range(50)} == {"three"}
    rig.ports.steer(fourth)
    rig.stop(third)
    assert {ask(port) for _ in range(50)} == {"four"}
    rig.stop(second)
    assert {ask(port) for _ in range(50)} == {"four"}


def test_one_leaves_while_another_joins(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which came first decides the numbers of all, so it must not stay open."""
    address, joint = Address(socket.AF_INET, bytes([127, 0, 0, 1]), port), group.Group()
    first = joint.join(address, beside=False)
    with joint.join(address, beside=True) as second:
        looks = iter([None, first.close])

        def members() -> tuple[int, ...]:
            if leaves := next(looks, None):
                leaves()
            return group.Group.members(joint)

        monkeypatch.setattr(joint, "members", members)
        with joint.join(address, beside=True) as third:
            joint.steer(third, group.inode_of(third))
            second.setblocking(False)
            for _ in range(20):
                socket.create_connection(("127.0.0.1", port), 5).close()
            with pytest.raises(BlockingIOError):
                second.accept()


def test_a_probe_reaches_a_start_that_nobody_else_reaches(rig: Rig, port: int) -> None:
    """By its source address; all others reach the old one, and later the new one."""
    first = rig.server("one", at(port))
    rig.ports.steer(first)
    assert not rig.ports.lets_probe(first, "127.77.0.1")
    second = rig.server("two", at(port))
    assert rig.ports.lets_probe(second, "127.77.0.1")
    assert {ask(port) for _ in range(20)} == {"one"}
    assert {ask(port, source="127.77.0.1") for _ in range(20)} == {"two"}
    rig.ports.steer(second)
    assert {ask(port) for _ in range(20)} == {"two"}


def test_workers_that_share_the_port_by_themselves(rig: Rig, port: int) -> None:
    """SO_REUSEPORT of the app's own: all its binds get one socket, through a swap too."""
    code = SERVER.replace("    s.bind", "    s.setsockopt(1, 15, 1)\n    s.bind").replace(
        "while True",
        "if os.fork(): held[0].close(); s = held[0] = socket.socket(); s.setsockopt(1, 15, 1); s.bind((host, int(port))); s.listen()\nwhile True",
    )
    now = rig.python(code, "0", at(port))
    rig.listening(now)
    for number in range(1, 4):
        assert {ask(port) for _ in range(20)} == {str(number - 1)}
        rig.ports.park()
        rig.stop(now)
        now = rig.python(code, str(number), at(port))
        rig.listening(now)
        rig.ports.steer(now)


# --- a port of the folder's own -------------------------------------------------------------------


def test_a_port_for_each_checkout() -> None:
    """The same at each start; another for another checkout, and if somebody has it already."""
    one, other = own_port("/a"), own_port("/b")
    assert FIRST <= one.number < FIRST + COUNT
    assert one.number != other.number
    second = own_port("/a")  # as if both came to the same number
    assert second.number != one.number
    second.close()
    one.close()
    again = own_port("/a")
    assert again.number == one.number
    again.close()
    with socket.create_server(("127.0.0.1", one.number)):
        third = own_port("/a")
        assert third.number != one.number
    third.close()
    other.close()
