"""Another version of a deployed function, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@contextmanager
def configured(functions: LambdaClient, name: str, **variables: str) -> Iterator[None]:
    """Callers reach a version of the function that is told `variables` besides, in fresh containers.

    Everybody calls the alias `live`: a changed function alone would change nothing.
    """
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    live = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before | variables})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=live)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})
