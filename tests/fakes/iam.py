"""Decides as IAM does whether a role may do what it asks for: one account, no boundaries, no service control policies.

An explicit Deny wins; otherwise one Allow is enough, of the role or, within an account, of the resource's own policy.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
Conditions: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html

Only what our policies use is known. Anything else raises, so that no condition passes unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

type Statement = Mapping[str, Any]

_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
_SETS = {"ForAllValues": all, "ForAnyValue": any}


@dataclass(frozen=True, slots=True)
class Request:
    """One check: an action on a resource. `keys` are the condition keys that the request has; others are missing."""

    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def allowed(request: Request, statements: Iterable[Statement], resource_policy: Iterable[Statement] = ()) -> bool:
    """Whether a role with these statements may do it. Raises ValueError for what it cannot judge."""
    effects = {each["Effect"] for each in (*statements, *resource_policy) if applies(each, request)}
    return "Deny" not in effects and "Allow" in effects


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement is about this request."""
    if strange := statement.keys() - _KNOWN:
        raise ValueError(f"cannot judge {sorted(strange)}")
    return (
        any(_like(request.action.lower(), action.lower()) for action in _list(statement["Action"]))
        and any(_like(request.resource, resource) for resource in _list(statement["Resource"]))
        and all(
            _holds(operator, key, _list(wanted), request.keys)
            for operator, block in statement.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], keys: Mapping[str, tuple[str, ...]]) -> bool:
    """One condition. The values of a policy are alternatives; names of keys know no case."""
    found = next((values for name, values in keys.items() if name.lower() == key.lower()), None)
    if operator == "Null":
        return (found is None) == (wanted == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    compare = _operator(plain)
    if quantifier:
        # ForAllValues is true and ForAnyValue false for a key that is missing.
        return _SETS[quantifier](compare(value, wanted) for value in found or ())
    if found is None:
        return plain.startswith("StringNot")
    if len(found) != 1:
        raise ValueError(f"{key} has several values, and {operator} compares one")
    return compare(found[0], wanted)


def _operator(name: str) -> Callable[[str, list[str]], bool]:
    """How a value is compared with the values of a policy: one of them is enough, and none for a negated operator."""
    match name:
        case "StringEquals" | "Bool":
            return lambda value, wanted: value in wanted
        case "StringNotEquals":
            return lambda value, wanted: value not in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":  # ArnEquals and ArnLike behave alike
            return lambda value, wanted: any(_like(value, each) for each in wanted)
        case "StringNotLike":
            return lambda value, wanted: not any(_like(value, each) for each in wanted)
        case _:
            raise ValueError(f"cannot judge {name}")


def _like(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """`*` stands for any text, `?` for one character."""
    named = {"*": ".*", "?": "."}
    return re.compile("".join(named.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
