"""The light data class is one like any other."""

from __future__ import annotations

import dataclasses

import pytest

from reloader.light import dataclass


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 2
    z: list = dataclasses.field(default_factory=list)

    @property
    def sum(self):
        return self.x + self.y


@dataclasses.dataclass(frozen=True)
class Real:
    x: int
    y: int = 2
    z: list = dataclasses.field(default_factory=list)


@pytest.mark.parametrize(("args", "given"), [((1,), {}), ((1, 3), {}), ((), {"x": 4, "z": [1]})])
def test_it_is_what_dataclass_makes(args, given):
    """Values, repr, fields, asdict, replace and match are those of the real one."""
    light, real = Point(*args, **given), Real(*args, **given)
    assert repr(light) == repr(real).replace("Real", "Point")
    assert dataclasses.asdict(light) == dataclasses.asdict(real)
    assert dataclasses.replace(light, y=9).y == 9
    assert [f.name for f in dataclasses.fields(light)] == ["x", "y", "z"]
    assert light.sum == light.x + light.y
    match light:
        case Point(x, y, z):
            assert (x, y, z) == (real.x, real.y, real.z)


def test_equality_and_hash():
    """By type and values; not equal to another type with the same values."""
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(2)
    assert Point(1) != Real(1)
    assert hash(Point(1, z=())) == hash(Point(1, 2, ()))


def test_defaults_are_not_shared():
    """A factory makes a new value each time."""
    Point(1).z.append(1)
    assert Point(1).z == []


@pytest.mark.parametrize(
    ("args", "given"), [((), {}), ((1, 2, [], 4), {}), ((1,), {"x": 1}), ((1,), {"q": 1})]
)
def test_wrong_arguments(args, given):
    """Too few, too many, twice, unknown: a TypeError that names the class."""
    with pytest.raises(TypeError, match="Point"):
        Point(*args, **given)


def test_it_is_frozen():
    """Nothing can be set or deleted."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Point(1).x


def test_the_only_form():
    """What is not frozen is refused."""
    with pytest.raises(ValueError, match="frozen"):
        dataclass(frozen=False)
