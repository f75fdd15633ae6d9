"""Data classes without the cost of the standard library's.

`dataclasses` imports inspect, ast, dis and tokenize, a quarter of all imports before the user's app
starts; and it generates and compiles code for each of some 150 classes. These classes share their
methods instead, and `replace` copies one dict. A type checker is shown the real thing.

Supported: defaults, `field(default_factory=…, metadata=…)`, inheritance, `fields`, `replace`,
`asdict`, `match`, `==`, `repr`; `frozen=True` adds a hash and refuses assignment. Not supported:
`slots`, `order`, `kw_only`, `init=False`, `__post_init__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import (
        MISSING as MISSING,
    )
    from dataclasses import (
        Field as Field,
    )
    from dataclasses import (
        asdict as asdict,
    )
    from dataclasses import (
        dataclass as dataclass,
    )
    from dataclasses import (
        field as field,
    )
    from dataclasses import (
        fields as fields,
    )
    from dataclasses import (
        replace as replace,
    )
else:
    MISSING = type("MISSING", (), {"__repr__": lambda _: "MISSING"})()

    class Field:
        """A field: its name, its type as text, its default, and what `field` was given."""

        __slots__ = ("default", "default_factory", "metadata", "name", "type")

        def __init__(self, default: Any, default_factory: Any, metadata: Any) -> None:
            self.name = self.type = ""
            self.default = default
            self.default_factory = default_factory
            self.metadata = metadata or {}

    def field(
        *, default: Any = MISSING, default_factory: Any = MISSING, metadata: Any = None
    ) -> Any:
        return Field(default, default_factory, metadata)

    def dataclass(cls: type | None = None, /, *, frozen: bool = False) -> Any:
        """The decorator: `@dataclass` or `@dataclass(frozen=True)`."""

        def made(cls: type) -> type:
            return _made(cls, frozen=frozen)

        return made if cls is None else made(cls)

    def fields(of: Any) -> tuple[Field, ...]:
        return of._fields

    def replace(value: Any, /, **changes: Any) -> Any:
        """Returns a copy with these fields changed. Raises TypeError for an unknown one."""
        cls = value.__class__
        if not changes.keys() <= cls._known:
            raise TypeError(f"{cls.__name__}: no field {', '.join(changes.keys() - cls._known)}")
        new = object.__new__(cls)
        new.__dict__.update(value.__dict__)
        new.__dict__.update(changes)
        return new

    def asdict(value: Any) -> dict[str, Any]:
        """Returns the fields by name, with data classes within turned into dicts as well."""
        return {name: _plain(getattr(value, name)) for name in value._names}


def _plain(value: Any) -> Any:
    if hasattr(value, "_fields") and hasattr(value, "_known"):
        return asdict(value)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _made(cls: Any, *, frozen: bool) -> Any:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        found.update((item.name, item) for item in base.__dict__.get("_own", ()))
    own = []
    for name, kind in cls.__dict__.get("__annotations__", {}).items():
        if str(kind).startswith("ClassVar"):
            continue
        item = _field_of(cls, name)
        item.name, item.type = name, kind
        own.append(item)
        found[name] = item
    cls._own = tuple(own)
    cls._fields = tuple(found.values())
    cls._names = tuple(found)
    setattr(cls, "__match_args__", cls._names)  # noqa: B010 -- mypy takes it for a constant
    cls._known = frozenset(found)
    cls._defaults = {n: f.default for n, f in found.items() if f.default is not MISSING}
    cls._factories = {
        n: f.default_factory for n, f in found.items() if f.default_factory is not MISSING
    }
    methods: list[Callable[..., Any]] = [__init__, __eq__, __repr__]
    methods += [__hash__, __setattr__, __delattr__] if frozen else []
    for method in methods:
        if method.__name__ not in cls.__dict__ or method is __hash__:
            setattr(cls, method.__name__, method)
    if not frozen:
        cls.__hash__ = None  # what can change is no key
    return cls


def _field_of(cls: Any, name: str) -> Any:
    given = cls.__dict__.get(name, MISSING)
    if not isinstance(given, Field):
        return field(default=given)
    if given.default is MISSING:
        delattr(cls, name)
    else:
        setattr(cls, name, given.default)
    return given


def __init__(self: Any, *args: Any, **given: Any) -> None:
    cls = self.__class__
    names = cls._names
    values = self.__dict__
    values.update(cls._defaults)
    values.update(zip(names, args))
    if given:
        if not given.keys() <= cls._known or not given.keys().isdisjoint(names[: len(args)]):
            raise _wrong(cls, args, given)
        values.update(given)
    for name, factory in cls._factories.items():
        if name not in values:
            values[name] = factory()
    if len(values) != len(names) or len(args) > len(names):
        raise _wrong(cls, args, given)


def _wrong(cls: Any, args: Any, given: Any) -> TypeError:
    text = f"expected {', '.join(cls._names)}; found {len(args)} values and {', '.join(given)}"
    return TypeError(f"{cls.__name__}: {text}")


def __eq__(self: Any, other: object) -> bool:
    if self.__class__ is not other.__class__:
        return NotImplemented
    return bool(self.__dict__ == other.__dict__)


def __hash__(self: Any) -> int:
    values = self.__dict__
    return hash(tuple(values[name] for name in self._names))


def __repr__(self: Any) -> str:
    body = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._names)
    return f"{type(self).__qualname__}({body})"


def __setattr__(self: Any, name: str, value: object) -> None:
    raise AttributeError(f"cannot assign to field {name!r} of {type(self).__name__}")


def __delattr__(self: Any, name: str) -> None:
    raise AttributeError(f"cannot delete field {name!r} of {type(self).__name__}")
