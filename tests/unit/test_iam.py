"""The judge of permissions in our tests, held to the examples and sentences of AWS's own pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.iam import Request, allowed, applies

TABLE = "arn:aws:dynamodb:us-west-2:123456789012:table/GameScores"


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "dynamodb:GetItem", "Resource": TABLE, **more}


def get(*keys: str, action: str = "dynamodb:GetItem", resource: str = TABLE) -> Request:
    return Request(action, resource, {"dynamodb:LeadingKeys": keys} if keys else {})


def leading(operator: str, *values: str, **more: Any) -> dict[str, Any]:
    return statement(Condition={operator: {"dynamodb:LeadingKeys": list(values)}, **more})


def test_what_nobody_allows_is_denied() -> None:
    """Every request is denied by default.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    assert not allowed(get(), [])
    assert allowed(get(), [statement()])


def test_a_deny_wins_over_every_allow() -> None:
    """An explicit deny overrides any allow, whatever the order and wherever it stands."""
    assert not allowed(get(), [statement(), statement("Deny")])
    assert not allowed(get(), [statement("Deny"), statement()])
    assert not allowed(get(), [statement()], resource_policy=[statement("Deny", Principal="*")])


def test_within_an_account_the_resources_policy_is_enough() -> None:
    """A resource's own policy that allows the request allows it without one of the role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single.html
    """
    assert allowed(get(), [], resource_policy=[statement(Principal="*")])


def test_actions_know_no_case_and_resources_do() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html ."""
    assert allowed(get(), [statement(Action=["DynamoDB:getitem"])])
    assert not allowed(get(resource=TABLE.lower()), [statement()])


@pytest.mark.parametrize(("pattern", "matches"), [("*", True), (TABLE[:-1] + "?", True), (TABLE + "?", False)])
def test_stars_and_question_marks(pattern: str, *, matches: bool) -> None:
    """`*` is any text, `?` one character; everything else stands for itself."""
    assert allowed(get(), [statement(Resource=[pattern])]) is matches
    assert not allowed(get(resource="arn:aws:dynamodbXus"), [statement(Resource="arn:aws:dynamodb.us")])


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
@pytest.mark.parametrize(
    ("found", "expected"),
    [(("a",), True), (("a", "b"), True), (("a", "c"), False), (("c",), False), ((), True)],
    ids=str,
)
def test_for_all_values(found: tuple[str, ...], *, expected: bool) -> None:
    """Every value of the request must match one of the policy; a request without the key matches."""
    assert allowed(get(*found), [leading("ForAllValues:StringEquals", "a", "b")]) is expected


@pytest.mark.parametrize(("found", "expected"), [(("a", "c"), True), (("c",), False), ((), False)], ids=str)
def test_for_any_value(found: tuple[str, ...], *, expected: bool) -> None:
    """One value that matches is enough; a request without the key does not match."""
    assert allowed(get(*found), [leading("ForAnyValue:StringEquals", "a", "b")]) is expected


def test_null_closes_what_for_all_values_leaves_open() -> None:
    """AWS's advice: a Null condition of false asks that the key is there."""
    closed = [leading("ForAllValues:StringLike", "a*", Null={"dynamodb:LeadingKeys": "false"})]
    assert allowed(get("abc"), closed)
    assert not allowed(get(), closed)
    assert not allowed(get("b"), closed)
    assert allowed(get(), [statement(Condition={"Null": {"dynamodb:LeadingKeys": "true"}})])


def test_a_negated_operator_wants_none_of_its_values() -> None:
    """Several values of a negated operator are a NOR, and it is true of a request without the key.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    others = [leading("ForAllValues:StringNotLike", "apikey#*", "*#erasures")]
    assert allowed(get("acme#connections"), others)
    assert not allowed(get("apikey#1"), others)
    assert not allowed(get("acme#connections", "acme#erasures"), others)
    assert allowed(get(), [leading("StringNotLike", "apikey#*")])


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    """Operators and keys are joined by AND; a plain operator is false of a key that is missing; keys know no case."""
    both = statement(Condition={"StringEquals": {"kms:EncryptionContext:kind": "a", "kms:ViaService": "b"}})
    keys = {"kms:encryptioncontext:KIND": ("a",), "kms:ViaService": ("b",)}
    assert applies(both, Request("dynamodb:GetItem", TABLE, keys))
    assert not applies(both, Request("dynamodb:GetItem", TABLE, {"kms:ViaService": ("b",)}))
    assert not applies(both, Request("dynamodb:GetItem", TABLE, {**keys, "kms:ViaService": ("c",)}))


@pytest.mark.parametrize(
    "strange",
    [
        statement(NotAction="a"),
        statement(Condition={"NumericEquals": {"a": "1"}}),
        statement(Condition={"StringEqualsIfExists": {"a": "1"}}),
        leading("StringEquals", "a"),
    ],
    ids=["element", "operator", "if exists", "several values"],
)
def test_what_it_cannot_judge_it_does_not_pass(strange: dict[str, Any]) -> None:
    """An unknown element, operator or comparison raises, so that no condition is passed over."""
    with pytest.raises(ValueError, match=r"cannot judge|several values"):
        allowed(get("a", "b"), [strange])
