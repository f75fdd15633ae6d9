"""The description of a process that is about to be started.

Pure: values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

NULL = -1  # stands for /dev/null among `stdio`


@dataclass(frozen=True)
class SpawnSpec:
    """Everything that a process is made of.

    `argv[0]` is looked up on the PATH of `env`, relative to `cwd`. `stdio` becomes descriptors 0, 1
    and 2. Each pair of `descriptors` is (descriptor of reloader, its number in the process); the
    numbers are above 2. The process gets no other descriptor.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]  # complete; the mark of the run is added when the process is started
    cwd: str
    stdio: tuple[int, int, int] = (0, 1, 2)
    descriptors: tuple[tuple[int, int], ...] = ()
