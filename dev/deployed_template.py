"""A transformed template with its references filled in, as CloudFormation does it at a deploy.

`Deployment.resolve` supports the intrinsic functions that our template uses. Names of resources are their logical ids,
or those in `physical`; ARNs have the service's form.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.transformed import Template, transform, written

_ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{place}:table/{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{place}:{name}",
    "AWS::KMS::Key": "arn:aws:kms:{place}:key/{name}",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:{place}:secret:{name}-AbCdEf",
    "AWS::Events::EventBus": "arn:aws:events:{place}:event-bus/{name}",
    "AWS::Events::Rule": "arn:aws:events:{place}:rule/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{place}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{place}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:aws:sns:{place}:{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{place}:stateMachine:{name}",
}
_NOTHING = object()


def deployment(**parameters: str) -> Deployment:
    """Return template.yaml as it is deployed to AWS, with these parameters and the defaults of all others."""
    given = {"Stage": "prod", **parameters}
    return Deployment(transform(written(), given), given)


@dataclass(frozen=True)
class Deployment:
    """A template with known parameters, region and account."""

    template: Template
    parameters: Mapping[str, str] = field(default_factory=dict)
    physical: Mapping[str, str] = field(default_factory=dict)
    """Names of resources by logical id, where they differ from it."""
    region: str = "eu-central-1"
    account: str = "111122223333"

    def of_type(self, kind: str) -> dict[str, Any]:
        """Return the properties of all resources of a type that exist with these parameters."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and self.holds(resource.get("Condition"))
        }

    def arn(self, name: str) -> str:
        """Return the ARN of a resource."""
        properties = self.template["Resources"][name].get("Properties", {})
        named = str(self.resolve(properties.get("StateMachineName", name)))
        physical = self.physical.get(name, named).rpartition("/")[2]
        if physical.startswith("arn:"):
            return physical
        form = _ARNS[self.template["Resources"][name]["Type"]]
        return form.format(place=f"{self.region}:{self.account}", account=self.account, name=physical)

    def holds(self, condition: str | None) -> bool:
        """Return whether a condition of the template is true. Without a condition, return True."""
        return condition is None or bool(self._truth(self.template["Conditions"][condition]))

    def resolve(self, value: Any) -> Any:
        """Return the value with every intrinsic function evaluated."""
        if isinstance(value, list):
            return [found for each in value if (found := self.resolve(each)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._carried_out(name, argument)
        return {name: found for name, each in value.items() if (found := self.resolve(each)) is not _NOTHING}

    def _carried_out(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute(*(argument if isinstance(argument, list) else argument.split(".")))
            case "Fn::Sub" if isinstance(argument, str):
                return re.sub(r"\$\{([^}!]+)\}", lambda found: self._substituted(found[1]), argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
            case "Fn::Join":
                return argument[0].join(map(str, self.resolve(argument[1])))
            case "Fn::FindInMap":
                first, second, third = self.resolve(argument)
                return self.template["Mappings"][first][second][third]
            case _:
                raise ValueError(f"cannot resolve {name}")

    def _truth(self, condition: Mapping[str, Any]) -> bool:
        ((name, argument),) = condition.items()
        match name:
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(each) for each in argument)
            case "Fn::Or":
                return any(self._truth(each) for each in argument)
            case "Condition":
                return self.holds(argument)
            case _:
                raise ValueError(f"cannot judge {name}")

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::NoValue": _NOTHING,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "zoom-gateway",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.template["Parameters"]:
            found = self.parameters.get(name, self.template["Parameters"][name].get("Default", ""))
            return str(found).split(",") if "List" in self.template["Parameters"][name]["Type"] else found
        kind = self.template["Resources"][name]["Type"]
        if kind in {"AWS::SecretsManager::Secret", "AWS::SNS::Topic"}:
            return self.arn(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.physical.get(name, name)}"
        return self.physical.get(name, name)

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute in {"Arn", "Id"}:
            return self.arn(name)
        return f"{self.physical.get(name, name)}.{attribute}" if attribute != "QueueName" else self._ref(name)

    def _substituted(self, name: str) -> str:
        resource, _, attribute = name.partition(".")
        return str(self._attribute(resource, attribute) if attribute else self._ref(name))


def role_of(deployment: Deployment, function: str) -> str:
    """Return the logical id of a function's role."""
    role: str = deployment.template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return role


def statements(deployment: Deployment, role: str) -> Iterator[dict[str, Any]]:
    """Yield every statement of a role's inline policies.

    Our roles have no managed ones (`tests/template` checks that).
    """
    properties = deployment.resolve(deployment.template["Resources"][role]["Properties"])
    assert not properties.get("ManagedPolicyArns"), role
    for policy in properties["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]
