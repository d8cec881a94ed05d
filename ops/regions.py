"""The regions in which the template can be deployed: CloudFormation there knows every resource type in it.

The other commercial regions of AWS only lack function URLs (`AWS::Lambda::Url`), to which Zoom sends its deliveries.
China and GovCloud are out of scope: they do not have function URLs in all regions, and nothing was tried there.
`tests/template/test_regions.py` compares with the lists in cfn-lint. Those do not have Bahrain (me-south-1), which
AWS's page does not name among the regions without function URLs; for it the test compares the services that botocore
knows.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-urls.html : where function URLs are missing
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html : partitions
"""

from __future__ import annotations

from ops.console import Stop

COMMERCIAL = (
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
SOVEREIGN = ("eusc-de-east-1",)
"""The AWS European Sovereign Cloud, a partition of its own (aws-eusc)."""


def check(region: str | None) -> None:
    """Raise Stop for a region in which the template cannot be deployed."""
    if region not in {*COMMERCIAL, *SOVEREIGN}:
        raise Stop(
            f"The template cannot be deployed in {region or 'no region'}.",
            f"Choose one of {', '.join((*COMMERCIAL, *SOVEREIGN))} (docs/deploy.md), or try with --unchecked.",
        )
