"""DynamoDB's condition, key condition and update expressions, parsed once and evaluated on items.

The subset that our stores use, and every error that DynamoDB gives for it.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

type Attribute = dict[str, Any]
type Item = dict[str, Attribute]
type Path = tuple[str, ...]
type Operand = Callable[[Item, "Names"], Attribute | None]
type Condition = Callable[[Item, "Names"], bool]

LARGEST_EXPRESSION = 4096  # bytes
_TOKEN = re.compile(r"\s*(?:([#:]?[A-Za-z_]\w*)|(<>|<=|>=|[=<>(),.+-]))")
_COMPARISONS = {"=", "<>", "<", "<=", ">", ">="}
_PLACEHOLDER = re.compile(r"[#:]\w+")


class InvalidExpression(Exception):
    """DynamoDB answers ValidationException, with this message."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the placeholders of a request stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Attribute]

    def check(self, *expressions: str) -> None:
        """Raise InvalidExpression for a placeholder without a meaning, and for a meaning that nothing uses."""
        used = _placeholders(expressions)
        given = {*self.names, *self.values}
        if used != given:
            raise InvalidExpression(f"undefined or unused in expressions: {sorted(used ^ given)}")

    def path(self, written: Path) -> Path:
        return tuple(self.names[word] if word.startswith("#") else word for word in written)


@lru_cache(maxsize=1024)
def _placeholders(expressions: tuple[str, ...]) -> frozenset[str]:
    if any(len(each.encode()) > LARGEST_EXPRESSION for each in expressions):
        raise InvalidExpression("Expression size has exceeded the maximum allowed size")
    return frozenset(word for each in expressions for word in _PLACEHOLDER.findall(each))


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression: what to set (evaluated on the item as it was) and what to remove."""

    sets: tuple[tuple[Path, Operand], ...]
    removes: tuple[Path, ...]

    def apply(self, item: Item, names: Names, *, keys: Collection[str]) -> Item:
        """The item as it is afterwards; `item` itself stays as it was. Raises InvalidExpression, also for its keys."""
        sets = [(names.path(path), operand) for path, operand in self.sets]
        removes = [names.path(path) for path in self.removes]
        paths = [path for path, _ in sets] + removes
        _refuse_overlaps(paths)
        if any(path[0] in keys for path in paths):
            raise InvalidExpression("Cannot update attribute. This attribute is part of the key")
        changed = item
        for path, operand in sets:
            value = operand(item, names)
            if value is None:
                raise InvalidExpression("The provided expression refers to an attribute that does not exist")
            changed = _replaced(changed, path, value)
        for path in removes:
            changed = _replaced(changed, path, None)
        return changed


@lru_cache(maxsize=1024)
def condition(text: str) -> Condition:
    """The condition that `text` writes. Raises InvalidExpression."""
    parser = _Parser(text)
    parsed = parser.any_of()
    parser.end()
    return parsed


@lru_cache(maxsize=1024)
def update(text: str) -> Update:
    """The update that `text` writes. Raises InvalidExpression."""
    parser = _Parser(text)
    sets: list[tuple[Path, Operand]] = []
    removes: list[Path] = []
    clauses: set[str] = set()
    while (word := parser.take().upper()) in {"SET", "ADD", "REMOVE"}:
        if word in clauses:
            raise InvalidExpression(f"The {word} section can only be used once in an update expression")
        clauses.add(word)
        while True:
            path = parser.path()
            if word == "REMOVE":
                removes.append(path)
            elif word == "ADD":
                sets.append((path, _grown(path, parser.operand())))
            else:
                parser.expect("=")
                sets.append((path, parser.sum()))
            if not parser.accept(","):
                break
        if parser.done():
            return Update(tuple(sets), tuple(removes))
    raise InvalidExpression(f"syntax error near {word}")


def _grown(path: Path, more: Operand) -> Operand:
    """What ADD makes of an attribute: the sum of two numbers, the union of two sets; `more` where there is none.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
    """

    def grown(item: Item, names: Names) -> Attribute | None:
        found, added = found_at(item, names.path(path)), more(item, names)
        if found is None or added is None:
            return added
        ((kind, old),), ((other, new),) = found.items(), added.items()
        if kind != other or kind not in {"N", "SS", "NS", "BS"}:
            raise InvalidExpression("An operand in the update expression has an incorrect data type")
        return number(Decimal(old) + Decimal(new)) if kind == "N" else {kind: sorted({*old, *new})}

    return grown


def comparable(value: Attribute) -> tuple[str, Any]:
    """The type and a Python value that compares as DynamoDB does."""
    ((kind, inner),) = value.items()
    if kind == "N":
        return kind, Decimal(inner)
    if kind in {"SS", "BS"}:
        return kind, frozenset(inner)
    if kind == "NS":
        return kind, frozenset(map(Decimal, inner))
    if kind == "M":
        return kind, {name: comparable(each) for name, each in inner.items()}
    return (kind, [comparable(each) for each in inner]) if kind == "L" else (kind, inner)


def number(value: Decimal) -> Attribute:
    """A number as DynamoDB gives it back: without leading and trailing zeros."""
    return {"N": format(value.normalize(), "f") if value else "0"}


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise InvalidExpression(f"syntax error at {text[at:]!r}")
            self._tokens.append(found.group(1) or found.group(2))
            at = found.end()
        self._at = 0
        if not self._tokens:
            raise InvalidExpression("The expression can not be empty")

    def done(self) -> bool:
        return self._at == len(self._tokens)

    def end(self) -> None:
        if not self.done():
            raise InvalidExpression(f"syntax error near {self._tokens[self._at]}")

    def peek(self) -> str:
        return "" if self.done() else self._tokens[self._at]

    def take(self) -> str:
        word = self.peek()
        self._at += 1
        return word

    def accept(self, word: str) -> bool:
        found = self.peek().upper() == word
        self._at += found
        return found

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise InvalidExpression(f"syntax error: {word} expected, not {self.peek()!r}")

    def any_of(self) -> Condition:
        found = [self._all_of()]
        while self.accept("OR"):
            found.append(self._all_of())
        return found[0] if len(found) == 1 else lambda item, names: any(each(item, names) for each in found)

    def _all_of(self) -> Condition:
        found = [self._negated()]
        while self.accept("AND"):
            found.append(self._negated())
        return found[0] if len(found) == 1 else lambda item, names: all(each(item, names) for each in found)

    def _negated(self) -> Condition:
        if self.accept("NOT"):
            inner = self._negated()
            return lambda item, names: not inner(item, names)
        if self.accept("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        return self._test()

    def _test(self) -> Condition:
        word = self.peek()
        if word in {"attribute_exists", "attribute_not_exists"}:
            path = self._call_of_path()
            there = word == "attribute_exists"
            return lambda item, names: (found_at(item, names.path(path)) is not None) is there
        if word == "begins_with":
            return self._begins_with()
        return self._compared()

    def _begins_with(self) -> Condition:
        self.take()
        self.expect("(")
        whole = self.operand()
        self.expect(",")
        start = self.operand()
        self.expect(")")

        def holds(item: Item, names: Names) -> bool:
            left, right = whole(item, names), start(item, names)
            if left is None or right is None or left.keys() != right.keys():
                return False
            ((_, text),), ((_, prefix),) = left.items(), right.items()
            return bool(text.startswith(prefix))

        return holds

    def _compared(self) -> Condition:
        left = self.operand()
        word = self.take()
        if word in _COMPARISONS:
            right = self.operand()
            return lambda item, names: _holds(word, left(item, names), right(item, names))
        if word.upper() == "BETWEEN":
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            return lambda item, names: (
                _holds(">=", left(item, names), low(item, names)) and _holds("<=", left(item, names), high(item, names))
            )
        if word.upper() == "IN":
            self.expect("(")
            options = [self.operand()]
            while self.accept(","):
                options.append(self.operand())
            self.expect(")")
            return lambda item, names: any(_holds("=", left(item, names), each(item, names)) for each in options)
        raise InvalidExpression(f"syntax error near {word!r}")

    def sum(self) -> Operand:
        left = self.operand()
        for sign in ("+", "-"):
            if self.accept(sign):
                right = self.operand()
                return lambda item, names: _added(left(item, names), right(item, names), sign)
        return left

    def operand(self) -> Operand:
        word = self.peek()
        if word.startswith(":"):
            self.take()
            return lambda _item, names: names.values[word]
        if word == "if_not_exists":
            self.take()
            self.expect("(")
            path = self.path()
            self.expect(",")
            other = self.operand()
            self.expect(")")
            return lambda item, names: found_at(item, names.path(path)) or other(item, names)
        path = self.path()
        return lambda item, names: found_at(item, names.path(path))

    def path(self) -> Path:
        words = [self._word()]
        while self.accept("."):
            words.append(self._word())
        return tuple(words)

    def _word(self) -> str:
        word = self.take()
        if not re.fullmatch(r"#?[A-Za-z_]\w*", word):
            raise InvalidExpression(f"syntax error near {word!r}")
        return word

    def _call_of_path(self) -> Path:
        self.take()
        self.expect("(")
        path = self.path()
        self.expect(")")
        return path


def found_at(item: Item, path: Path) -> Attribute | None:
    """The attribute at a document path, or None."""
    found: Any = {"M": item}
    for word in path:
        found = found.get("M", {}).get(word) if found else None
    return found or None


def _replaced(item: Item, path: Path, value: Attribute | None) -> Item:
    """The item with another value at the path, or with none; what lies beside the path is shared."""
    name, *rest = path
    if not rest:
        return {**item, name: value} if value is not None else {each: item[each] for each in item if each != name}
    inner = item.get(name, {})
    if "M" not in inner:
        raise InvalidExpression("The document path provided in the update expression is invalid for update")
    return {**item, name: {"M": _replaced(inner["M"], tuple(rest), value)}}


def _refuse_overlaps(paths: list[Path]) -> None:
    for at, one in enumerate(paths):
        for other in paths[at + 1 :]:
            shared = min(len(one), len(other))
            if one[:shared] == other[:shared]:
                raise InvalidExpression("Two document paths overlap with each other")


def _holds(sign: str, left: Attribute | None, right: Attribute | None) -> bool:
    if left is None or right is None:
        return sign == "<>" and left is not right
    (kind, one), (other_kind, other) = comparable(left), comparable(right)
    if sign in {"=", "<>"}:
        return ((kind, one) == (other_kind, other)) is (sign == "=")
    if kind != other_kind or kind not in {"S", "N", "B"}:
        return False
    less, same = one < other, one == other
    return bool({"<": less, "<=": less or same, ">": not less and not same, ">=": not less}[sign])


def _added(left: Attribute | None, right: Attribute | None, sign: str) -> Attribute:
    if left is None or right is None:
        raise InvalidExpression("The provided expression refers to an attribute that does not exist in the item")
    if "N" not in left or "N" not in right:
        raise InvalidExpression("An operand in the update expression has an incorrect data type")
    first, second = Decimal(left["N"]), Decimal(right["N"])
    return number(first + second if sign == "+" else first - second)
