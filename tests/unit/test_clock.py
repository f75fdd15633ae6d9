"""The clock of deadlines stands still while we do."""

from __future__ import annotations

from reloader.runtime.clock import LATE, Clock


class Wall:
    time = 100.0

    def __call__(self):
        return self.time


def test_a_wait_that_ends_late_does_not_count():
    """After a pause of a minute a deadline has as much time left as before it."""
    wall = Wall()
    clock = Clock(wall, wall)
    clock.waits()
    wall.time = 160.0
    clock.woke(100.0, 105.0)
    assert clock.now() == 100.0
    wall.time = 161.0
    assert clock.now() == 101.0


def test_a_busy_machine_is_no_pause():
    """Somewhat late, in time, and before time: the clock goes on as ever."""
    wall = Wall()
    clock = Clock(wall, wall)
    for wall.time in (101.0, 105.0, 105.0 + LATE):
        clock.woke(100.0, 105.0)
        assert clock.now() == wall.time


def test_a_pause_in_the_work_does_not_count():
    """It is told from work by the processor: that was somebody else's."""
    wall, processor = Wall(), Wall()
    clock = Clock(wall, processor)
    clock.woke(clock.waits(), None)
    wall.time, processor.time = 103.0, 100.1
    assert clock.now() == clock.waits() == 100.0
    clock.woke(100.0, None)
    wall.time, processor.time = 104.0, 101.0
    assert clock.now() == 101.0
