"""The template as CloudFormation receives it, after the SAM transform, without a build and without AWS.

https://github.com/aws/serverless-application-model
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from ops.project import ROOT

type Template = dict[str, Any]


def written() -> Template:
    """Return template.yaml, parsed, with short intrinsic functions in their long form."""
    parsed: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def transform(template: Template, parameters: Mapping[str, str], changed: str = "") -> Template:
    """Return the transformed template, as if its code were in a bucket. The code of `changed` is in another place."""
    packaged = copy.deepcopy(template)
    for name, resource in packaged["Resources"].items():
        properties = resource.get("Properties", {})
        for source in ("CodeUri", "ContentUri"):
            if source in properties:
                properties[source] = f"s3://bucket/{name}-{'new' if name == changed else 'old'}"
    logging.getLogger("samtranslator.feature_toggle.feature_toggle").setLevel(logging.ERROR)
    with _some_region():
        made: Template = Translator({}, Parser()).translate(packaged, parameter_values=dict(parameters))
    return made


@contextmanager
def _some_region() -> Iterator[None]:
    """Set a region for the transform, which asks boto3 for one and depends only on its partition."""
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = before or "us-east-1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
