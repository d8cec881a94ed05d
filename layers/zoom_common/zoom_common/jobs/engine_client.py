"""The workflow engine that starts jobs' slices, and the bucket for their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from zoom_common.aws.errors import code_of, translated
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import InvalidRequest
from zoom_common.jobs.files import LARGEST_FILE, without
from zoom_common.jobs.model import Job

_ENGINE, _BUCKET = "job_engine_unavailable", "job_files_unavailable"
UPLOAD_SECONDS = 3600
_DOWNLOAD_SECONDS = 300
_STARTED = "ExecutionAlreadyExists"
_NO_OBJECT = frozenset({"NoSuchKey", "404", "NotFound"})


class Executions:
    """Executions of the state machine. Their name is the job's id and run, so that none starts twice."""

    def __init__(self, stepfunctions: Any, state_machine: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine = state_machine

    def start(self, job: Job) -> None:
        """Start the execution of the job's run, unless it was started before. Raises Unavailable.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        given = {"tenant": job.tenant, "job": job.job_id, "run": job.run}
        with translated(_ENGINE):
            try:
                self._stepfunctions.start_execution(
                    stateMachineArn=self._state_machine, name=f"{job.job_id}-{job.run}", input=json.dumps(given)
                )
            except ClientError as error:
                if code_of(error) != _STARTED:
                    raise


class JobFiles:
    """Files of jobs in a bucket of their own. Methods raise Unavailable."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def upload_url(self, job: Job) -> str:
        """Return an address to which the job's file can be sent by PUT for an hour."""
        given = {"Bucket": self._bucket, "Key": _input_key(job)}
        url: str = self._s3.generate_presigned_url("put_object", Params=given, ExpiresIn=UPLOAD_SECONDS)
        return url

    def read(self, job: Job) -> bytes | None:
        """Return the job's file, or None while there is none.

        If it is too large, return one byte more than is allowed.
        """
        return self._content(_input_key(job))

    def _content(self, key: str) -> bytes | None:
        with translated(_BUCKET):
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{LARGEST_FILE}")
            except ClientError as error:
                if code_of(error) == "InvalidRange":  # an empty file has no first byte
                    return b""
                if code_of(error) in _NO_OBJECT:
                    return None
                raise
            content: bytes = found["Body"].read()
        return content

    def delete(self, job: Job) -> None:
        """Delete the job's file, because its rows are stored."""
        with translated(_BUCKET):
            self._s3.delete_object(Bucket=self._bucket, Key=_input_key(job))

    def count(self, target: ErasureTarget) -> int:
        """Return how many files `erase` would delete or change."""
        return sum(1 for _ in self._affected(target))

    def erase(self, target: ErasureTarget) -> int:
        """Delete every version of a tenant's files, and return how many there were.

        For a person, results of their tenant are deleted, because they are made anew from the rows that are left. In a
        file that has not become rows yet, the rows that name the person are emptied.
        """
        erased = 0
        for key, version, content in self._affected(target):
            with translated(_BUCKET):
                made = self._s3.put_object(Bucket=self._bucket, Key=key, Body=content) if content else {}
                if not content or made.get("VersionId", "null") != "null":
                    self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
            erased += 1
        return erased

    def _affected(self, target: ErasureTarget) -> Iterator[tuple[str, str, bytes | None]]:
        """Yield key and version of what an erasure deletes, or what it becomes instead."""
        for place in ("results", "inputs"):
            for key, version, latest in self._versions(f"{place}/{target.tenant}/"):
                if place == "results" or target.whole_tenant or not latest:
                    yield key, version, None
                    continue
                try:
                    content = without(self._content(key) or b"", target.is_named_in)
                except InvalidRequest:  # no row can be made of it, and nobody can say whom it names
                    yield key, version, None
                    continue
                if content is not None:
                    yield key, version, content

    def _versions(self, prefix: str) -> list[tuple[str, str, bool]]:
        """Return key and id of each version and delete marker, and whether it is the latest."""
        with translated(_BUCKET):
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            found = [each for page in pages for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]
        return [(each["Key"], each["VersionId"], bool(each["IsLatest"]) and "Size" in each) for each in found]

    def results_url(self, job: Job, content: bytes, content_type: str) -> str:
        """Store results that are too large for an answer, and return an address that is valid for five minutes."""
        extension = "csv" if "csv" in content_type else "jsonl"
        given = {"Bucket": self._bucket, "Key": f"results/{job.tenant}/{job.job_id}.{extension}"}
        with translated(_BUCKET):
            self._s3.put_object(**given, Body=content, ContentType=content_type)
        url: str = self._s3.generate_presigned_url("get_object", Params=given, ExpiresIn=_DOWNLOAD_SECONDS)
        return url


def _input_key(job: Job) -> str:
    return f"inputs/{job.tenant}/{job.job_id}"
