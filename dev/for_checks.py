"""Writes the input of independent validators: the transformed template, and each role's policy without references.

`make security` runs checkov and parliament over them (.checkov.yaml, dev/lint_policies.py).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dev.deployed_template import deployment


def write(folder: Path) -> None:
    """Write `template.json`, and `policies/<role>.json` for each role of the stack, as it is deployed to AWS.

    The resources have no conditions, because checkov skips those of options that are off.
    """
    made = deployment(Rollout="Canary10Percent10Minutes")
    policies = folder / "policies"
    policies.mkdir(parents=True, exist_ok=True)
    resources = {
        name: {member: value for member, value in resource.items() if member != "Condition"}
        for name, resource in made.template["Resources"].items()
    }
    (folder / "template.json").write_text(json.dumps({**made.template, "Resources": resources}, indent=1))
    for name, role in made.of_type("AWS::IAM::Role").items():
        (document,) = (policy["PolicyDocument"] for policy in role["Policies"])
        (policies / f"{name}.json").write_text(json.dumps(document, indent=1))


def main() -> None:
    """Write them into a folder."""
    parser = argparse.ArgumentParser(prog="python -m dev.for_checks", description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
