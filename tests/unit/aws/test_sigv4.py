"""Our signer against botocore's."""

from __future__ import annotations

import datetime as dt
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.soak import times
from zoom_common.aws.sigv4 import Credentials, Scope, sign
from zoom_common.secret import Secret

_word = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/+=", min_size=1, max_size=40)
_name = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20).map(lambda text: f"x-{text}")
_value = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._ /;=", max_size=60)
_region = st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"])
_service = st.sampled_from(["sqs", "secretsmanager"])


_credentials = st.builds(Credentials, _word, _word.map(Secret), st.none() | _word.map(Secret))


@settings(max_examples=times(300), deadline=None)
@given(
    body=st.binary(max_size=500),
    headers=st.dictionaries(_name, _value, max_size=4),
    host=st.from_regex(r"[a-z][a-z0-9.-]{0,30}(:[1-9][0-9]{1,3})?", fullmatch=True),
    scope=st.builds(Scope, _service, _region),
    credentials=_credentials,
    now=st.integers(0, 4_000_000_000),
    path=st.sampled_from(["/", "/2015-03-31/functions/token-refresh/invocations", "/functions/arn%3Aaws%3Af/i"]),
)
def test_signatures_equal_botocores(
    *, body: bytes, headers: dict[str, str], host: str, scope: Scope, credentials: Credentials, now: int, path: str
) -> None:
    """Whatever is signed, the Authorization header is the one AWS's own library would send."""
    ours = sign(headers, body, host=host, scope=scope, credentials=credentials, now=now, path=path)
    token = credentials.session_token.reveal() if credentials.session_token else None
    theirs = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key.reveal(), token)
    request = AWSRequest("POST", f"https://{host}{path}", headers={**headers, "host": host}, data=body)
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(theirs, scope.service, scope.region).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_credentials_come_from_lambdas_variables() -> None:
    """The role's three variables; the token is missing only where a person's own keys are used."""
    found = Credentials.from_env({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"})
    assert found == Credentials("k", Secret("s"), Secret("t"))
    assert Credentials.from_env({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}).session_token is None
    assert "Secret(***)" in repr(found)
