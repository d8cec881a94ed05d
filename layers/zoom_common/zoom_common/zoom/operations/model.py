"""The columns of the operations table: operations, scopes, rate labels and query parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import parse_qsl

from zoom_common.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    from zoom_common.zoom.models.fields import ZoomModel

type Kind = Literal["string", "integer", "boolean", "date"]

_BOOLEANS = frozenset({"true", "false", "1", "0"})

_WHOLE = re.compile(r"-?[0-9]{1,19}")

# Some formatters leave out leading zeros.
_DAY = re.compile(r"\s*(\d{4})-(\d\d?)-(\d\d?).*", re.ASCII | re.DOTALL)

_PAGE_SIZE = re.compile(r"(?<![^&])page_size=([0-9]{1,19})(?![^&])")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `values` are all that Zoom's contract names, none means any; the limits are for integers.

    `also` are values beyond the contract that programs in production send. A page size above the maximum and a 0 where
    the least is 1 are no faults: Zoom lowers the first and reads the second as "not set".
    """

    name: str
    kind: Kind = "string"
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False
    also: tuple[str, ...] = ()

    def fault(self, text: str) -> str | None:
        """Return what is wrong with `text` as the parameter's value, or None."""
        if self.values and not {*self.values, *self.also}.issuperset(self._choices(text)):
            return f"Must be one of {', '.join(self.values)}."
        match self.kind:
            case "integer":
                return self._integer_fault(text)
            case "boolean":
                return None if text.lower() in _BOOLEANS else "Must be true or false."
            case "date":
                return "Must be a day such as 2030-01-31." if day_in(text) is None else None
            case _:
                return None

    def _choices(self, text: str) -> list[str]:
        """Return the choices in a value. Zoom reads several in `include_fields`, separated by commas."""
        return [each.strip() for each in text.split(",")] if self.name == "include_fields" else [text]

    def _integer_fault(self, text: str) -> str | None:
        if not _WHOLE.fullmatch(text):
            return "Must be a whole number."
        if self.minimum is not None and int(text) < min(self.minimum, 0):
            return f"Must be {self.minimum} or more."
        if self.maximum is not None and int(text) > self.maximum and self.name != "page_size":
            return f"Must be {self.maximum} or less."
        return None


def check_query(parameters: Iterable[Parameter], query_string: str) -> None:
    """Raise InvalidRequest with every fault of the raw query string, each parameter once.

    A blank value counts as absent.
    """
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query_string):
        given.setdefault(name, []).append(value)
    faults = []
    for parameter in parameters:
        values = given.get(parameter.name, [])
        found = next((fault for value in values if (fault := parameter.fault(value))), None)
        if parameter.required and not values:
            found = "This parameter is required."
        if found is not None:
            faults.append(FieldError(parameter.name, found))
    if faults:
        raise InvalidRequest(faults)


def with_lowered_page_size(parameters: Iterable[Parameter], query_string: str) -> str:
    """Return the raw query string with a `page_size` above the maximum lowered to it, and everything else unchanged.

    Zoom lowers it as well: programs in production ask for 1,000 on every list and read the real size in the answer.
    """
    largest = next((each.maximum for each in parameters if each.name == "page_size"), None)
    if largest is None:
        return query_string
    return _PAGE_SIZE.sub(lambda found: found[0] if int(found[1]) <= largest else f"page_size={largest}", query_string)


def day_in(text: str) -> date | None:
    """Return the day at the start of `text`, whatever follows it, or None."""
    day = _DAY.fullmatch(text)
    if day is None:
        return None
    try:
        return date(int(day[1]), int(day[2]), int(day[3]))
    except ValueError:
        return None


PAGE_SIZE = Parameter("page_size", "integer", minimum=1, maximum=300)

PAGE_NUMBER = Parameter("page_number", "integer")

NEXT_PAGE_TOKEN = Parameter("next_page_token")

TOKEN_PAGES = (PAGE_SIZE, NEXT_PAGE_TOKEN)

EVERY_PAGE = (PAGE_SIZE, PAGE_NUMBER, NEXT_PAGE_TOKEN)

OCCURRENCE_ID = Parameter("occurrence_id")

SHOW_PREVIOUS_OCCURRENCES = Parameter("show_previous_occurrences", "boolean")

FROM = Parameter("from", "date")

TO = Parameter("to", "date")

SPAN = (Parameter("from", "date", required=True), Parameter("to", "date", required=True))

REGISTRANT_STATUS = Parameter("status", values=("pending", "approved", "denied"))

JSON, MULTIPART = "application/json", "multipart/form-data"

_MODELS = "zoom_common.zoom.models."

_SUCCESS = {"GET": 200, "POST": 201}


class RateLabel(StrEnum):
    """Zoom's rate limit labels, as its answers spell them.

    https://developers.zoom.us/docs/api/rate-limits/
    """

    LIGHT = "Light"
    MEDIUM = "Medium"
    HEAVY = "Heavy"
    RESOURCE_INTENSIVE = "Resource-intensive"


@dataclass(frozen=True, slots=True)
class ZoomScopes:
    """The Zoom scopes of an operation. Any one of them is enough.

    `user` and `admin` are the forms of the granular scope. An operation that only administrators may use has no `user`
    form, and a few operations have classic scopes only. New apps get granular scopes, apps from before 2024 keep their
    `classic` ones. https://developers.zoom.us/docs/integrations/oauth-scopes-overview/
    """

    user: str | None
    admin: str | None
    classic: tuple[str, ...]

    @classmethod
    def of(cls, granular: str, *classic: str, only: tuple[str, ...] = ()) -> ZoomScopes:
        """Return the scopes of an operation for users and administrators. Classic ones in `only` have no other form."""
        return cls(granular, f"{granular}:admin", (*_both_forms(classic), *only))

    @classmethod
    def of_administrators(cls, granular: str, *classic: str) -> ZoomScopes:
        """Return the scopes of an operation for administrators alone.

        `granular` is without its `:admin`, `classic` complete.
        """
        return cls(None, f"{granular}:admin", classic)

    @classmethod
    def of_classic(cls, *classic: str) -> ZoomScopes:
        """Return the complete scopes of an operation that has no granular one."""
        return cls(None, None, classic)

    @property
    def granular(self) -> tuple[str, ...]:
        """Return the forms that exist, the user's first."""
        return tuple(each for each in (self.user, self.admin) if each is not None)

    @property
    def administrators_only(self) -> bool:
        """Return whether only an administrator can grant this."""
        if self.admin is None:
            return all(each.endswith(":admin") for each in self.classic)
        return self.user is None

    def allow(self, granted: Iterable[str]) -> bool:
        """Return whether a token with the scopes `granted` may do it. A master account's form counts like the others.

        Where Zoom's contract has no scope of the app's kind, return True, and Zoom decides.
        """
        known = {*self.granular, *self.classic}
        if not known.isdisjoint(granted):
            return True
        held = {scope.removesuffix(":master") for scope in granted}
        if not known.isdisjoint(held):
            return True
        return not (self.classic if any(map(_is_classic, held)) else self.granular)

    def lacking(self, granted: Iterable[str]) -> tuple[str, ...]:
        """Return the scopes to ask for, of the app's own kind, because a classic app cannot get granular scopes.

        Any one of them is enough.
        """
        first, second = self.granular, self.classic
        if any(map(_is_classic, granted)):
            first, second = second, first
        return first or second


def _both_forms(scopes: Iterable[str]) -> tuple[str, ...]:
    return tuple(form for each in scopes for form in (each, f"{each}:admin"))


def _is_classic(scope: str) -> bool:
    # `meeting:read:admin` is classic, `meeting:read:meeting` is granular. Either kind of app may hold `user_profile`.
    return scope.removesuffix(":admin").removesuffix(":master").count(":") == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of Zoom's REST API, or with `own` one of the gateway's.

    `path` is Zoom's, below `/v2`. `function` serves it, behind the HTTP API route `route`. `safe_to_retry` says that
    sending it twice is as good as once, even when the first may have arrived. `counts_for_user` marks the creates and
    updates of which Zoom accepts 100 a day for one user, meetings and webinars together. `items` is the list in an
    answer that comes in pages; with `monthly` or `weekly` Zoom accepts `from` and `to` no further apart than that.
    `plan` is what the Zoom account needs. `media` is the body's media type, empty where there is no body, and
    `required` are the members without which Zoom refuses it. `model` names the body's model, as module and class, so
    that a function that only reads never loads one and a cold start does not load all.
    """

    name: str
    method: str
    path: str
    summary: str
    function: str
    route: str
    query: tuple[Parameter, ...] = ()
    media: str = ""
    required: tuple[str, ...] = ()
    model: str | None = None
    success: int
    label: RateLabel
    scopes: ZoomScopes
    gateway_scope: str
    safe_to_retry: bool
    counts_for_user: bool = False
    items: str | None = None
    monthly: bool = False
    weekly: bool = False
    plan: str = ""
    notes: str = ""
    own: bool = False

    # True for operations of the pass-through, which have no rows.
    passed: ClassVar[bool] = False

    @property
    def pool(self) -> str:
        """The name of the rate limits that count it; empty for those of all rows."""
        return ""

    @property
    def body(self) -> type[ZoomModel] | None:
        """Return the model of the body, loaded at its first use; None where there is none."""
        if self.model is None:
            return None
        module, _, name = self.model.partition(".")
        found: type[ZoomModel] = getattr(import_module(_MODELS + module), name)
        return found


@dataclass(frozen=True, slots=True)
class Family:
    """The common fields of the operations behind one route, so that a row has only its own."""

    function: str
    route: str
    access: str
    """The beginning of the gateway's scopes: `meetings` for `meetings:read` and `meetings:write`."""
    plan: str = ""

    def operation(
        self,
        name: str,
        method: str,
        path: str,
        summary: str,
        *,
        label: RateLabel,
        scopes: ZoomScopes,
        query: tuple[Parameter, ...] = (),
        media: str = "",
        required: tuple[str, ...] = (),
        model: str | None = None,
        success: int | None = None,
        items: str | None = None,
        monthly: bool = False,
        weekly: bool = False,
        counts_for_user: bool = False,
        plan: str | None = None,
        notes: str = "",
        gateway_scope: str | None = None,
        own: bool = False,
    ) -> Operation:
        """Return a row.

        Only reads are safe to retry, and need only the read scope unless `gateway_scope` says otherwise. Without
        `success` a GET answers 200, a POST 201 and every other method 204. A `model` means a JSON body.
        """
        reads = method == "GET"
        return Operation(
            name=name,
            method=method,
            path=path,
            summary=summary,
            function=self.function,
            route=self.route,
            query=query,
            media=media or (JSON if model else ""),
            required=required,
            model=model,
            success=success or _SUCCESS.get(method, 204),
            label=label,
            scopes=scopes,
            gateway_scope=gateway_scope or f"{self.access}:{'read' if reads else 'write'}",
            safe_to_retry=reads,
            counts_for_user=counts_for_user,
            items=items,
            monthly=monthly,
            weekly=weekly,
            plan=self.plan if plan is None else plan,
            notes=notes,
            own=own,
        )
