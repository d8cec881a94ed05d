"""`make deploy-policy STAGE=prod`: the least permissions for deploying one stack, made from the transformed template.

They are what CloudFormation's own handler of each resource type says it needs, on this stack's names, and only when
CloudFormation calls for the caller (aws:CalledVia); and what `sam deploy` and `make deploy` call themselves. A managed
policy holds 6,144 characters, so there are several: attach them all.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html : handlers' permissions
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html : aws:CalledVia
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html : sizes
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ops.console import say
from ops.deploy import STAGES
from ops.project import ROOT
from ops.transformed import transform, written

type Statement = dict[str, Any]

LARGEST = 6144
"""The most characters of a managed policy, white space not counted."""

# Permissions that handlers list for features which the template does not use, or for data that deploys never read.
LEFT_OUT = {
    "networks, file systems and streams": (
        "ec2:",
        "elasticfilesystem:",
        "s3files:",
        "s3tables:",
        "firehose:",
        "kinesis:",
    ),
    "items of tables, which only an import writes": (
        *(f"dynamodb:{name}" for name in ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan")),
        *("dynamodb:UpdateItem", "dynamodb:ImportTable", "dynamodb:DescribeImport"),
    ),
    "replicas and streams of tables": (
        *("dynamodb:AssociateTableReplica", "dynamodb:CreateTableReplica"),
        *("dynamodb:EnableKinesis", "dynamodb:DisableKinesis", "dynamodb:UpdateKinesis", "dynamodb:DescribeKinesis"),
    ),
    "policies of tables and topics' data protection": ("dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy")
    + ("sns:PutDataProtectionPolicy",),
    "managed policies and boundaries: no role of ours has any": (
        *("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        *("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
    ),
    "the contents of secrets and of the tables' key": (
        *("secretsmanager:GetSecretValue", "secretsmanager:GetRandomPassword"),
        *("secretsmanager:ReplicateSecretToRegions", "secretsmanager:RemoveRegionsFromReplication"),
        *("kms:Encrypt", "kms:ReEncrypt", "kms:GenerateDataKey"),
    ),
    "instances and revisions of CodeDeploy that are no functions": ("codedeploy:RegisterOnPremisesInstance",),
    "capacity and signing of functions": (
        *("lambda:PassCapacityProvider", "lambda:PutFunctionScalingConfig", "lambda:PutProvisionedConcurrencyConfig"),
        *("lambda:DeleteProvisionedConcurrencyConfig", "lambda:PutFunctionCodeSigningConfig"),
        *("lambda:DeleteFunctionCodeSigningConfig", "lambda:AssociateRuntimeAlias"),
    ),
    "log groups' keys, deliveries and lines": (
        *("logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:PutLogEvents", "logs:CreateLogStream"),
        *("logs:PutBearerTokenAuthentication", "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy"),
        *("logs:PutIndexPolicy", "logs:DeleteIndexPolicy", "logs:PutLogGroupDeletionProtection"),
    ),
    "names that are no actions": ("s3:REST.PUT.OBJECT", "s3:getObject", "s3:GetObjectMetadata"),
}
# Actions whose resource AWS does not allow to be named, or that make a resource that has no name yet.
UNNAMED = {
    *("kms:CreateKey", "kms:ListAliases", "logs:DescribeLogGroups", "logs:DescribeQueryDefinitions"),
    *("logs:PutQueryDefinition", "logs:DeleteQueryDefinition", "logs:DescribeResourcePolicies"),
    *("logs:PutResourcePolicy", "logs:DeleteResourcePolicy", "logs:CreateLogDelivery", "cloudwatch:DescribeAlarms"),
    *("lambda:CreateEventSourceMapping", "appconfig:CreateApplication", "sns:Unsubscribe"),
    *("sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "codedeploy:GetDeploymentConfig"),
}
# The names of the stack's resources, by service. {place} is region and account, {stack} the stack's name.
NAMES = {
    "apigateway": ["{arn}:apigateway:{region}::/apis", "{arn}:apigateway:{region}::/apis/*"]
    + ["{arn}:apigateway:{region}::/domainnames", "{arn}:apigateway:{region}::/domainnames/*"]
    + ["{arn}:apigateway:{region}::/tags/*"],
    "appconfig": ["{arn}:appconfig:{place}:application/*"],
    "cloudwatch": ["{arn}:cloudwatch:{place}:alarm:{stack}-*", "{arn}:cloudwatch::{account}:dashboard/{stack}-*"],
    "codedeploy": [
        "{arn}:codedeploy:{place}:application:{stack}-*",
        "{arn}:codedeploy:{place}:deploymentgroup:{stack}-*",
    ],
    "dynamodb": ["{arn}:dynamodb:{place}:table/{stack}-*"],
    "events": ["{arn}:events:{place}:event-bus/{stack}", "{arn}:events:{place}:rule/{stack}/*"],
    "iam": ["{arn}:iam::{account}:role/{stack}-*"],
    "kms": ["{arn}:kms:{place}:key/*"],
    "lambda": ["{arn}:lambda:{place}:function:{stack}-*", "{arn}:lambda:{place}:layer:{stack}-*"]
    + ["{arn}:lambda:{place}:event-source-mapping:*"],
    "logs": ["{arn}:logs:{place}:log-group:{stack}-*"],
    "s3": ["{arn}:s3:::{stack}-*"],
    "scheduler": ["{arn}:scheduler:{place}:schedule/default/{stack}-*"],
    # A secret without a name of its own is named after its logical id.
    "secretsmanager": ["{arn}:secretsmanager:{place}:secret:Zoom*"],
    "sns": ["{arn}:sns:{place}:{stack}-*"],
    "sqs": ["{arn}:sqs:{place}:{stack}-*"],
    "states": ["{arn}:states:{place}:stateMachine:{stack}-*"],
}
# SAM's bucket, from which CloudFormation reads the code.
BUCKET = "{arn}:s3:::aws-sam-cli-managed-default-*"
_PASSED_TO = [f"{service}.amazonaws.com" for service in ("codedeploy", "lambda", "scheduler", "states")]
_STACK: tuple[str, ...] = (
    "CreateChangeSet",
    "DescribeChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "DescribeStacks",
)
_STACK += (
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResources",
    "GetTemplate",
    "GetTemplateSummary",
)
_STACK += ("ListStackResources", "DeleteStack")
_BUCKET: tuple[str, ...] = (
    "CreateBucket",
    "PutBucketPolicy",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutEncryptionConfiguration",
)
_BUCKET += ("PutBucketPublicAccessBlock", "GetBucketLocation", "ListBucket", "PutObject", "GetObject")


def asked_by_handlers(types: Iterable[str]) -> set[str]:
    """Return what CloudFormation's handlers of these resource types need, without the permissions that are left out."""
    found: set[str] = set()
    for each in types:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", each).schema.get("handlers", {})
        for name in ("create", "read", "update", "delete"):
            found |= set(handlers.get(name, {}).get("permissions", []))
    without = tuple(start for starts in LEFT_OUT.values() for start in starts)
    return {action for action in found if not action.startswith(without)}


def statements(stack: str, *, region: str = "*", partition: str = "aws", service_role: bool = False) -> list[Statement]:
    """Return all that deploying the stack needs.

    With a `service_role`, CloudFormation acts as that role, not via the caller.
    """
    template = transform(written(), {"Stage": "prod", "Rollout": "Canary10Percent10Minutes"})
    actions = asked_by_handlers({resource["Type"] for resource in template["Resources"].values()})
    where = {"arn": f"arn:{partition}", "region": region, "account": "*", "place": f"{region}:*", "stack": stack}
    own = list(_by_cloudformation(actions, where))
    if service_role:
        return own
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
    for each in own:
        if each["Sid"] != "Code":
            each["Condition"] = {**each.get("Condition", {}), **via}
    return [*own, *_by_the_caller(where)]


def _by_cloudformation(actions: set[str], where: dict[str, str]) -> Iterator[Statement]:
    grouped: dict[str, set[str]] = defaultdict(set)
    for action in actions - {"iam:PassRole", "iam:CreateServiceLinkedRole"}:
        grouped["*" if action in UNNAMED else action.partition(":")[0]].add(action)
    for service in sorted(grouped):
        resources = [name.format(**where) for name in NAMES[service]] if service != "*" else ["*"]
        sid = "WithoutName" if service == "*" else service.capitalize()
        yield _allow(sid, sorted(grouped[service]), resources)
    roles = [name.format(**where) for name in NAMES["iam"]]
    yield {
        **_allow("PassRole", ["iam:PassRole"], roles),
        "Condition": {"StringEquals": {"iam:PassedToService": _PASSED_TO}},
    }
    linked = ["{arn}:iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*".format(**where)]
    yield _allow("FirstApi", ["iam:CreateServiceLinkedRole"], linked)
    yield _allow("Code", ["s3:GetObject", "s3:GetObjectVersion"], [f"{BUCKET}/*".format(**where)])


def _by_the_caller(where: dict[str, str]) -> Iterator[Statement]:
    """Yield what `sam deploy`, its bucket and `make deploy` call themselves."""
    stacks = [f"{{arn}}:cloudformation:{{place}}:stack/{name}/*" for name in ("{stack}", "aws-sam-cli-managed-default")]
    stacks.append("{arn}:cloudformation:{region}:aws:transform/Serverless-2016-10-31")
    yield _allow("Stacks", [f"cloudformation:{name}" for name in _STACK], [name.format(**where) for name in stacks])
    bucket = [BUCKET.format(**where) + rest for rest in ("", "/*")]
    yield _allow("Bucket", [f"s3:{name}" for name in _BUCKET], bucket)
    yield _allow("AnyLimits", ["lambda:GetAccountSettings", "cloudwatch:DescribeAlarms"], ["*"])
    functions = ["{arn}:lambda:{place}:function:{stack}-*".format(**where)]
    yield _allow("OnceAtFirst", ["lambda:InvokeFunction", "lambda:GetFunctionConcurrency"], functions)


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def documents(found: Iterable[Statement]) -> list[dict[str, Any]]:
    """Return the statements as managed policies, each small enough."""
    made: list[dict[str, Any]] = []
    for statement in found:
        if made:
            last = {**made[-1], "Statement": [*made[-1]["Statement"], statement]}
            if size(last) <= LARGEST:
                made[-1] = last
                continue
        made.append({"Version": "2012-10-17", "Statement": [statement]})
    return made


def size(document: dict[str, Any]) -> int:
    """Return the number of characters as IAM counts them: without white space."""
    return len(json.dumps(document, separators=(",", ":")))


def main() -> int:
    """Write the policies of a stage's stack to files, and say how to make them."""
    parser = argparse.ArgumentParser(prog="make deploy-policy", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--region", default="*", help="where the stack is; without it, any region")
    parser.add_argument("--partition", default="aws", choices=("aws", "aws-eusc"))
    parser.add_argument(
        "--service-role", action="store_true", help="for the role that CloudFormation assumes (--role-arn)"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where the files are written")
    arguments = parser.parse_args()
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    stack = configured[arguments.stage]["deploy"]["parameters"]["stack_name"]
    found = statements(
        stack, region=arguments.region, partition=arguments.partition, service_role=arguments.service_role
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(documents(found), start=1):
        file = arguments.folder / f"{stack}-deploy-{number}.json"
        file.write_text(json.dumps(document, indent=1) + "\n")
        say(f"aws iam create-policy --policy-name {file.stem} --policy-document file://{file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
