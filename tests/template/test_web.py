"""The web client on AWS: the same headers as locally, one origin, a bucket that nobody else reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from local import web

Template = dict[str, Any]


def properties(template: Template, name: str) -> dict[str, Any]:
    resource = template["Resources"][name]
    assert resource["Condition"] == "HasWeb", name
    found: dict[str, Any] = resource["Properties"]
    return found


def test_it_is_off_unless_somebody_wants_it(template: Template) -> None:
    """A gateway for programs has no pages but those of the OAuth legs."""
    assert template["Parameters"]["WebClient"]["Default"] == "off"
    kinds = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy"}
    for resource in template["Resources"].values():
        if resource["Type"].startswith("AWS::CloudFront::") or resource["Type"] in kinds:
            assert resource["Condition"] == "HasWeb"


def test_cloudfront_sends_the_headers_that_the_tests_ran_with(template: Template) -> None:
    """What Chromium was content with locally is what it gets on AWS."""
    config = properties(template, "WebHeaders")["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"].strip()
    assert policy == web.POLICY.replace("{identity}", "${WebIdentityOrigins}")
    sent = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
    sent |= {
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"]["Override"] else "",
    }
    assert sent == web.HEADERS


def test_nobody_but_the_distribution_reads_the_bucket(template: Template) -> None:
    """Signed by CloudFront, for this distribution, over TLS."""
    assert all(properties(template, "WebBucket")["PublicAccessBlockConfiguration"].values())
    allow, deny = properties(template, "WebBucketPolicy")["PolicyDocument"]["Statement"]
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "${WebDistribution}" in allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})


def test_the_api_behind_it_is_passed_through_and_not_kept(template: Template) -> None:
    """One origin for both, and no answer of the API in a cache."""
    config = properties(template, "WebDistribution")["DistributionConfig"]
    default = config["DefaultCacheBehavior"]
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert (default["TargetOriginId"], default["CachePolicyId"]) == ("api", caching_disabled)
    behaviours = [default, *config["CacheBehaviors"]]
    assert all(each["ViewerProtocolPolicy"] == "redirect-to-https" for each in behaviours)
    assert [each["PathPattern"] for each in config["CacheBehaviors"]] == ["/", "/app", "/app/*"]


@pytest.mark.skipif(shutil.which("node") is None, reason="CloudFront's functions are JavaScript")
@pytest.mark.parametrize(
    ("uri", "becomes"),
    [
        ("/", {"statusCode": 302, "headers": {"location": {"value": "/app/"}}}),
        ("/app", {"statusCode": 308, "headers": {"location": {"value": "/app/"}}}),
        ("/app/", {"uri": "/app/index.html"}),
        ("/app/meetings/85123456789", {"uri": "/app/index.html"}),
        ("/app/assets/index-abc.js", {"uri": "/app/assets/index-abc.js"}),
        ("/app/settings.json", {"uri": "/app/settings.json"}),
    ],
)
def test_addresses_lead_where_they_lead_locally(template: Template, uri: str, becomes: dict[str, Any]) -> None:
    """The bare address to the app, a place in the app to its one page, a file to itself: as `local/web.py` has it."""
    code = properties(template, "WebPaths")["FunctionCode"]
    call = f"console.log(JSON.stringify(handler({{request: {{uri: {json.dumps(uri)}}}}})))"
    printed = subprocess.run(["node", "-e", f"{code}\n{call}"], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout) == becomes


def test_every_page_at_cloudfront_goes_through_its_addresses(template: Template) -> None:
    """What is redirected there never asks the bucket."""
    config = properties(template, "WebDistribution")["DistributionConfig"]
    for each in config["CacheBehaviors"]:
        assert each["TargetOriginId"] == "web"
        [association] = each["FunctionAssociations"]
        assert association["EventType"] == "viewer-request"
        assert association["FunctionARN"] == {"Fn::GetAtt": ["WebPaths", "FunctionARN"]}


def test_every_function_that_sends_people_to_reconnect_knows_the_page(template: Template) -> None:
    """A link in an error is opened by a browser: the API's own route would answer it with a 401."""
    knowing = {
        name
        for name, resource in template["Resources"].items()
        if "CONNECT_PAGE_URL" in resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
    }
    serving = {"Oauth", "Meetings", "Webinars", "ZoomApi", "MeetingSdk"}
    assert knowing == {f"{name}Function" for name in serving}
