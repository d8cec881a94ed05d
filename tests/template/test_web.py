"""The web client on AWS: the same headers as locally, one origin, a bucket that nobody else reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from dev import web
from ops import web_deploy
from tests.template.test_side_by_side import clashes, named, references

Template = dict[str, Any]


def properties(web_template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = web_template["Resources"][name]["Properties"]
    return found


def test_hosting_it_is_a_template_of_its_own(template: Template, web_template: Template) -> None:
    """A gateway for programs has no pages but those of the OAuth legs, and needs no CloudFront where there is none."""
    assert template["Parameters"]["WebClient"]["Default"] == "off"
    kinds = {resource["Type"] for resource in template["Resources"].values() if "Condition" not in resource}
    assert not any(kind.startswith(("AWS::CloudFront::", "AWS::S3::")) for kind in kinds)
    assert {resource["Type"].split("::")[1] for resource in web_template["Resources"].values()} == {"CloudFront", "S3"}
    assert web_template["Resources"]["WebBucket"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_hosting_asks_for_what_the_command_knows(web_template: Template) -> None:
    """The parameters of the one are those that make web-deploy reads off the other."""
    stack = {"Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://a1.execute-api.eu-west-1.amazonaws.com"}]}
    configured = {each["ParameterKey"]: each["ParameterValue"] for each in web_deploy.parameters(stack)}
    domain = "a1.execute-api.eu-west-1.amazonaws.com"
    assert configured == {"ApiDomain": domain, "WebIdentityOrigins": "", "StorageOrigins": ""}
    assert set(configured) == set(web_template["Parameters"])


def test_the_name_of_the_hosting_is_no_other_stacks(web_template: Template) -> None:
    """Names of CloudFront are known to the whole account: they carry the stack's name and its region."""
    assert clashes(web_template) == set()
    names = [
        value
        for resource in web_template["Resources"].values()
        for _, value in named(resource)
        if resource["Type"].startswith("AWS::CloudFront::")
    ]
    assert names
    assert all({"AWS::StackName", "AWS::Region"} <= references(value) for value in names)


def test_cloudfront_sends_the_headers_that_the_tests_ran_with(web_template: Template) -> None:
    """What Chromium was content with locally is what it gets on AWS."""
    config = properties(web_template, "WebHeaders")["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"].strip()
    assert policy == web.POLICY.format(identity="${WebIdentityOrigins}", storage="${StorageOrigins}")
    sent = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
    sent |= {
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"]["Override"] else "",
    }
    assert sent == web.HEADERS


def test_nobody_but_the_distribution_reads_the_bucket(web_template: Template) -> None:
    """Signed by CloudFront, for this distribution, over TLS."""
    assert all(properties(web_template, "WebBucket")["PublicAccessBlockConfiguration"].values())
    allow, deny = properties(web_template, "WebBucketPolicy")["PolicyDocument"]["Statement"]
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "${WebDistribution}" in allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})


def test_the_api_behind_it_is_passed_through_and_not_kept(web_template: Template) -> None:
    """One origin for both, and no answer of the API in a cache."""
    config = properties(web_template, "WebDistribution")["DistributionConfig"]
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
def test_addresses_lead_where_they_lead_locally(web_template: Template, uri: str, becomes: dict[str, Any]) -> None:
    """The bare address to the app, a place in the app to its one page, a file to itself: as `dev/web.py` has it."""
    code = properties(web_template, "WebPaths")["FunctionCode"]
    call = f"console.log(JSON.stringify(handler({{request: {{uri: {json.dumps(uri)}}}}})))"
    printed = subprocess.run(["node", "-e", f"{code}\n{call}"], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout) == becomes


def test_every_page_at_cloudfront_goes_through_its_addresses(web_template: Template) -> None:
    """What is redirected there never asks the bucket."""
    config = properties(web_template, "WebDistribution")["DistributionConfig"]
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
