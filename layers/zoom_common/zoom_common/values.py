"""Frozen dataclasses for the webhook's path, without importing `dataclasses`.

That module loads `inspect`, `ast` and `tokenize`, and compiles three functions per class: a third of what a webhook's
start costs beyond that of an empty handler. A type checker sees the real dataclasses; at run time this module has the
part that is needed, and a test compares both. All other modules use the real ones.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204

__all__ = ["dataclass", "field"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field
else:
    _MISSING = object()

    class _Field:
        __slots__ = ("default", "factory", "shown")

        def __init__(self, default, factory=_MISSING, *, shown=True) -> None:
            self.default, self.factory, self.shown = default, factory, shown

        def value(self, name):
            if self.factory is not _MISSING:
                return self.factory()
            if self.default is _MISSING:
                raise TypeError(f"{name} is missing")
            return self.default

    class _Value:
        """The base of all such classes. It works by the fields of the class."""

        __slots__ = ()
        _known: dict[str, _Field]
        _setters = ()

        def __init__(self, *values, **named) -> None:
            names, setters = self.__match_args__, self._setters
            if len(values) == len(setters) and not named:  # the fast path, for objects made for every delivery
                for put, value in zip(setters, values, strict=True):
                    put(self, value)
                return
            if len(values) > len(names):
                raise TypeError(f"{type(self).__name__} takes {len(names)} values, not {len(values)}")
            put = object.__setattr__
            for name, value in zip(names, values, strict=False):
                put(self, name, value)
            for name in names[len(values) :]:
                put(self, name, named.pop(name) if name in named else self._known[name].value(name))
            if named:
                raise TypeError(f"{type(self).__name__} got {', '.join(named)} twice, or does not know it")

        def _content(self):
            return tuple(getattr(self, name) for name in self.__match_args__)

        def __eq__(self, other):
            return self._content() == other._content() if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self):
            return hash(self._content())

        def __repr__(self):
            shown = (f"{name}={getattr(self, name)!r}" for name, each in self._known.items() if each.shown)
            return f"{type(self).__qualname__}({', '.join(shown)})"

        def __setattr__(self, name, value):
            raise AttributeError(f"cannot assign to field {name!r}")

        def __delattr__(self, name):
            raise AttributeError(f"cannot delete field {name!r}")

    def field(*, default=_MISSING, default_factory=_MISSING, repr=True):  # noqa: A002 - the real one's name
        """Return a field with its default, or a function that makes it, as `dataclasses.field` does."""
        return _Field(default, default_factory, shown=repr)

    def dataclass(*, frozen, slots):
        """Do as `dataclasses.dataclass(frozen=True, slots=True)`, which is the only supported form."""
        if not (frozen and slots):
            raise TypeError("only frozen ones with slots")
        return _made

    def _made(cls):
        body = {name: each for name, each in cls.__dict__.items() if name not in {"__dict__", "__weakref__"}}
        given = {name: body.pop(name, _MISSING) for name in body["__annotations__"]}
        body["_known"] = {n: each if isinstance(each, _Field) else _Field(each) for n, each in given.items()}
        body["__slots__"] = body["__match_args__"] = tuple(given)
        made = type(cls.__name__, (_Value,), body)
        made._setters = tuple(made.__dict__[name].__set__ for name in given)  # noqa: SLF001 - its own class
        return made
