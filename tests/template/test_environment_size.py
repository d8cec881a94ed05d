"""Lambda takes 4 KB of environment variables: long parameters must not end a deploy half-way.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from dev.deployed_template import Deployment, deployment

LARGEST = 4096
# An account id of Zoom's has 22 characters; the plan with the longest name.
PLANS = ",".join(f"AbCdEfGhIjKlMnOpQrSt{number:02d}=business" for number in range(60))
ISSUER = "https://login.microsoftonline.com/01234567-89ab-cdef-0123-456789abcdef/v2.0"
ADDRESS = "https://zoom-gateway.meetings.example-company.com"
LONG = {
    "ZoomAccountPlans": PLANS,
    "PublicBaseUrl": ADDRESS,
    "ZoomRedirectUri": f"{ADDRESS}/auth/zoom/callback",
    "ConnectPageUrl": f"{ADDRESS}/connect",
    "ReturnUrls": ",".join(f"https://app{number}.example-company.com" for number in range(5)),
    "OidcIssuer": ISSUER,
    "OidcAudience": "api://01234567-89ab-cdef-0123-456789abcdef",
    "ZoomClientId": "AbCdEfGhIjKlMnOpQrStUv",
    "ZoomSdkKey": "AbCdEfGhIjKlMnOpQrStUv",
    "ZoomAppAccountId": "AbCdEfGhIjKlMnOpQrStUv",
    "PublishAlso": "download_tokens,passcodes,start_urls,stream_keys,ip_addresses",
}


def long_names() -> Deployment:
    """A stack with a long name in the region with the longest, and names as CloudFormation makes them."""
    made = deployment(**LONG)
    stack = "meetings-zoom-gateway-production"
    names = {name: f"{stack}-{name}-1A2B3C4D5E6F"[:80] for name in made.template["Resources"]}
    return replace(made, physical=names, region="ap-northeast-3")


FUNCTIONS = {
    name: each["Environment"]["Variables"] for name, each in long_names().of_type("AWS::Lambda::Function").items()
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_environment_fits_with_sixty_account_plans(function: str) -> None:
    """Names and values together, with every long parameter set."""
    assert sum(len(name) + len(str(value)) for name, value in FUNCTIONS[function].items()) <= LARGEST


def test_whoever_spends_a_budget_knows_the_plans() -> None:
    """Only health goes without."""
    assert [name for name, each in FUNCTIONS.items() if each["ZOOM_ACCOUNT_PLANS"] != PLANS] == ["HealthFunction"]
