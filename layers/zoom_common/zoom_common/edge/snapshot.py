"""What a function does before Lambda takes its snapshot and after each restore, with the parameter SnapStart.

Every execution environment of a version begins with one and the same snapshot. So it holds loaded modules and nothing
else: no client, connection, credential, secret, setting or time. What makes random numbers gets fresh entropy after
each restore.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
"""

from __future__ import annotations

import os
import pkgutil
import random
import ssl
import sys
from importlib import import_module
from typing import Any

# What the first call of any function loads beside its own modules.
_EVERYWHERE = ("aws_lambda_powertools", "zoom_common.aws.container_credentials")
_MODELS = "zoom_common.zoom.models.fields"
_ENTROPY = 64


def prepare(*packages: str) -> None:
    """Load `packages` with all that is in them, as the first call would, and ask Lambda to run `restored`.

    The library with the hooks is part of Lambda's runtime for Python:
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    for name in _EVERYWHERE:
        import_module(name)
    for name in packages:
        for found in pkgutil.walk_packages(import_module(name).__path__, f"{name}."):
            import_module(found.name)
    if _MODELS in sys.modules:
        _build_models(sys.modules[_MODELS].ZoomModel)
    hooks: Any = import_module("snapshot_restore_py")
    hooks.register_after_restore(restored)


def restored() -> None:
    """Make what this process draws differ from what others draw that were restored from the same snapshot.

    uuid and secrets ask the kernel, which differs anyway. OpenSSL, which makes TLS's keys, and `random` keep a state.
    """
    random.seed()
    ssl.RAND_add(os.urandom(_ENTROPY), _ENTROPY)


def _build_models(model: Any) -> None:
    for each in model.__subclasses__():
        each.model_rebuild()
        _build_models(each)
