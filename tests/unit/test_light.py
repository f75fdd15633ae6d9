"""The light data class is one like the standard library's."""

from __future__ import annotations

import dataclasses

import pytest

from reloader import light
from reloader.light import dataclass


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 2
    z: list = light.field(default_factory=list)

    @property
    def sum(self):
        return self.x + self.y


@dataclasses.dataclass(frozen=True)
class Real:
    x: int
    y: int = 2
    z: list = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class Named(Point):
    """A point with one more field."""

    name: str = light.field(default="", metadata={"help": "a name"})


@dataclass
class Counter:
    count: int = 0


@pytest.mark.parametrize(("args", "given"), [((1,), {}), ((1, 3), {}), ((), {"x": 4, "z": [1]})])
def test_it_is_what_dataclass_makes(args, given):
    """Values, repr, fields, asdict, replace and match are those of the real one."""
    point, real = Point(*args, **given), Real(*args, **given)
    assert repr(point) == repr(real).replace("Real", "Point")
    assert light.asdict(point) == dataclasses.asdict(real)
    assert light.replace(point, y=9) == Point(point.x, 9, point.z)
    assert [f.name for f in light.fields(point)] == ["x", "y", "z"]
    assert [f.type for f in light.fields(Point)] == [f.type for f in dataclasses.fields(Real)]
    assert point.sum == point.x + point.y
    match point:
        case Point(x, y, z):
            assert (x, y, z) == (real.x, real.y, real.z)


def test_equality_and_hash():
    """By type and values; not equal to another type with the same values."""
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(2)
    assert Point(1) != Real(1)
    assert Point(1) != Named(1)
    assert hash(Point(1, z=())) == hash(Point(1, 2, ()))


def test_defaults_are_not_shared():
    """A factory makes a new value each time."""
    Point(1).z.append(1)
    assert Point(1).z == []


def test_inheritance():
    """The fields of the base come first; metadata is kept."""
    assert Named(1, name="a") == Named(1, 2, [], "a")
    assert light.fields(Named)[-1].metadata == {"help": "a name"}


def test_dicts_within_dicts():
    """asdict goes into tuples, lists and dicts, and leaves other values as they are."""
    inner = Point(1, z=())
    outer = Point(0, (inner, "text"), {"a": [inner]})
    plain = {"x": 1, "y": 2, "z": ()}
    assert light.asdict(outer) == {"x": 0, "y": (plain, "text"), "z": {"a": [plain]}}


@pytest.mark.parametrize(
    ("args", "given"), [((), {}), ((1, 2, [], 4), {}), ((1,), {"x": 1}), ((1,), {"q": 1})]
)
def test_wrong_arguments(args, given):
    """Too few, too many, twice, unknown: a TypeError that names the class."""
    with pytest.raises(TypeError, match="Point"):
        Point(*args, **given)


def test_an_unknown_field_is_not_replaced():
    """A typo is an error, not a new attribute."""
    with pytest.raises(TypeError, match="q"):
        light.replace(Point(1), q=1)


def test_it_is_frozen():
    """Nothing can be set or deleted."""
    with pytest.raises(AttributeError, match="x"):
        Point(1).x = 2
    with pytest.raises(AttributeError, match="x"):
        del Point(1).x


def test_one_that_can_change():
    """Without frozen, fields can be set, and there is no hash."""
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)
