"""Commands for a stack on AWS end in one sentence when AWS cannot be asked."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from ops.deployed import run


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (NoRegionError(), "set AWS_DEFAULT_REGION"),
        (NoCredentialsError(), "set AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="https://sqs.example"), "https://sqs.example"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "ListQueues"), "AccessDenied"),
    ],
)
def test_what_aws_refuses_is_one_sentence(capsys: pytest.CaptureFixture[str], problem: Exception, said: str) -> None:
    """With what to do where that is known, and exit status 1."""

    def main() -> int:
        raise problem

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert said in line


def test_a_command_ends_with_its_own_status() -> None:
    """Whatever it returns."""
    with pytest.raises(SystemExit) as ended:
        run(lambda: 3)
    assert ended.value.code == 3
