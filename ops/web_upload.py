"""`make web-upload`: uploads the built web client and its settings to its bucket, and invalidates CloudFront.

Browsers keep files for a year if the name changes with the content. They check the page and the settings every time.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

from ops.console import Stop, say
from ops.deployed import run
from ops.project import WEB_CLIENT
from ops.web_deploy import name_of
from ops.web_settings import settings_of

KEPT = "public, max-age=31536000, immutable"
ASKED_FOR = "no-cache"
# Everything else in the folder has a name that changes with its content.
_CHANGING = (
    "app/index.html",
    "app/api-reference.html",
    "app/settings.json",
    "app/icon.svg",
    "app/licenses.md",
)


def files(dist: Path) -> Iterator[tuple[str, Path]]:
    """Yield keys and files, the pages last, because they must not name missing files.

    Raises Stop when nothing was built.
    """
    if not (dist / "index.html").is_file():
        raise Stop("The web client is not built.", "Run make web first.")
    found = sorted(path for path in dist.rglob("*") if path.is_file())
    for path in sorted(found, key=lambda path: path.suffix == ".html"):
        yield "app/" + path.relative_to(dist).as_posix(), path


def settings_from(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client's settings for a described stack. Raises Stop without a web client or an identity provider."""
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    if "WebClientId" not in outputs:
        raise Stop(
            "This stack has no web client.",
            "Run make web-deploy, then deploy the gateway with WebClient=on and the PublicBaseUrl that it printed.",
        )
    if not parameters.get("OidcIssuer"):
        raise Stop("Nobody could sign in.", "Deploy the stack with OidcIssuer, OidcAudience and WebIdentityOrigins.")
    return settings_of(
        {
            "oidc_issuer": parameters["OidcIssuer"],
            "oidc_client_id": outputs["WebClientId"],
            "oidc_scope": outputs["WebSignInScope"],
            "oidc_parameters": outputs["WebSignInParameters"].removeprefix("?"),
            "zoom_client_id": parameters.get("ZoomClientId", ""),
            "zoom_authorize_url": parameters.get("ZoomOauthUrl", "").rstrip("/") + "/authorize",
        }
    )


def upload(s3: Any, bucket: str, dist: Path, settings: Mapping[str, Any]) -> int:
    """Upload everything. Return the number of files."""
    body = json.dumps(settings, indent=2).encode()
    s3.put_object(
        Bucket=bucket, Key="app/settings.json", Body=body, ContentType="application/json", CacheControl=ASKED_FOR
    )
    count = 1
    for key, path in files(dist):
        kind = "application/wasm" if path.suffix == ".wasm" else mimetypes.guess_type(path.name)[0]
        kept = ASKED_FOR if key in _CHANGING else KEPT
        with path.open("rb") as content:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType=kind or "application/octet-stream",
                CacheControl=kept,
            )
        count += 1
    return count


def main() -> int:
    """Upload to the named stack. Return the exit status: 1 when that fails."""
    parser = argparse.ArgumentParser(prog="make web-upload ARGS=...", description="Upload the built web client.")
    parser.add_argument("--stack-name", required=True)
    given = parser.parse_args()
    try:
        cloudformation = boto3.client("cloudformation")
        settings = settings_from(cloudformation.describe_stacks(StackName=given.stack_name)["Stacks"][0])
        hosting = cloudformation.describe_stacks(StackName=name_of(given.stack_name))["Stacks"][0]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in hosting["Outputs"]}
        count = upload(boto3.client("s3"), outputs["WebBucketName"], WEB_CLIENT, settings)
        paths = {"Quantity": len(_CHANGING), "Items": [f"/{key}" for key in _CHANGING]}
        boto3.client("cloudfront").create_invalidation(
            DistributionId=outputs["WebDistributionId"],
            InvalidationBatch={"Paths": paths, "CallerReference": str(time.time_ns())},
        )
    except Stop as stop:
        say(f"{stop}\n{stop.fix}")
        return 1
    say(f"{count} files are uploaded: {outputs['WebUrl']}")
    return 0


if __name__ == "__main__":
    run(main)
