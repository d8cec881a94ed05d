"""The S3 client over S3 in memory and over moto: objects, uploads, versions, links."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.moto_account import moto_account
from tests.fakes.moto_s3_line import MotoS3Line
from tests.fakes.s3 import SMALLEST_PART, Answer, MemoryS3
from zoom_common.aws import clients
from zoom_common.aws.s3 import Bucket, ObjectForm, Part, S3Refused, composite_crc, decoded_crc, encoded_crc
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws
KEY = "acme/2026/11/Weekly sync (1)/a film+one ü.mp4"
FORM = ObjectForm("video/mp4", "STANDARD_IA", {"cold-after-days": "90"})
PART = b"p" * SMALLEST_PART


@pytest.fixture(params=["memory", "moto"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket with versions."""
    if request.param == "memory":
        yield MemoryS3().bucket()
        return
    with moto_account(monkeypatch):
        import boto3  # noqa: PLC0415 - moto has to be there first

        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Enabled"})
        made = clients.bucket("archive")
        yield replace(made, line=MotoS3Line(made.host), sleep=lambda _: None)


def put(bucket: Bucket, key: str, body: bytes) -> None:
    bucket.put(key, body, zlib.crc32(body), FORM)


def test_an_object_is_stored_whole_with_its_checksum(bucket: Bucket) -> None:
    """And is read by ranges; behind its end there is nothing."""
    put(bucket, KEY, b"0123456789")
    stored = bucket.head(KEY)
    assert stored is not None
    assert (stored.size, stored.crc, stored.composite) == (10, zlib.crc32(b"0123456789"), None)
    assert bucket.read(KEY, 3, 4) == b"3456"
    assert bucket.read(KEY, 8, 100) == b"89"
    assert bucket.read(KEY, 10, 5) == b""
    assert bucket.head("acme/other") is None


def test_an_object_is_never_written_over(bucket: Bucket) -> None:
    """The second one is refused, and the first one stays."""
    put(bucket, KEY, b"first")
    with pytest.raises(S3Refused) as refused:
        put(bucket, KEY, b"second")
    assert refused.value.s3_code == "PreconditionFailed"
    assert bucket.read(KEY, 0, 10) == b"first"


def test_parts_become_one_object(bucket: Bucket) -> None:
    """Its size and bytes are those of the parts in order, and the upload is over."""
    upload_id = bucket.begin_upload(KEY, FORM)
    parts = [bucket.put_part(KEY, upload_id, at, body, zlib.crc32(body)) for at, body in ((1, PART), (2, b"end"))]
    assert [(key, each) for key, each, _ in bucket.uploads("acme/")] == [(KEY, upload_id)]
    listed = bucket.parts(KEY, upload_id).parts
    assert [(part.number, part.size, part.etag) for part in listed] == [
        (part.number, part.size, part.etag) for part in parts
    ]
    bucket.complete(KEY, upload_id, parts, crc=zlib.crc32(PART + b"end"))
    stored = bucket.head(KEY)
    assert stored is not None
    assert (stored.size, stored.crc) == (SMALLEST_PART + 3, zlib.crc32(PART + b"end"))
    assert bucket.read(KEY, SMALLEST_PART - 1, 4) == b"pend"
    assert list(bucket.uploads("")) == []
    bucket.complete(KEY, upload_id, parts, crc=zlib.crc32(PART + b"end"))  # repeated after a lost answer


def test_an_upload_does_not_write_over_an_object(bucket: Bucket) -> None:
    """It is refused, and stays to be ended."""
    put(bucket, KEY, b"first")
    upload_id = bucket.begin_upload(KEY, FORM)
    part = bucket.put_part(KEY, upload_id, 1, b"second", zlib.crc32(b"second"))
    with pytest.raises(S3Refused) as refused:
        bucket.complete(KEY, upload_id, [part], crc=zlib.crc32(b"second"))
    assert refused.value.s3_code == "PreconditionFailed"
    bucket.abort(KEY, upload_id)
    assert list(bucket.uploads("")) == []


def test_an_upload_that_is_gone_is_recognized() -> None:
    """Its parts cannot be listed or added; moto fails itself there. Ending it once more is no failure."""
    _, bucket = memory()
    upload_id = bucket.begin_upload(KEY, FORM)
    bucket.abort(KEY, upload_id)
    for ask in (
        lambda: bucket.parts(KEY, upload_id),
        lambda: bucket.put_part(KEY, upload_id, 1, b"x", zlib.crc32(b"x")),
    ):
        with pytest.raises(S3Refused) as refused:
            ask()
        assert refused.value.s3_code == "NoSuchUpload"
    bucket.abort(KEY, upload_id)


def test_every_version_is_deleted(bucket: Bucket) -> None:
    """Delete markers too, and nothing of other keys."""
    put(bucket, KEY, b"one")
    bucket.delete(KEY, "")
    put(bucket, KEY, b"two")
    put(bucket, f"{KEY}2", b"other")
    versions = [(key, version) for key, version in bucket.versions(KEY) if key == KEY]
    assert len(versions) == 3
    for key, version in versions:
        bucket.delete(key, version)
    assert [key for key, _ in bucket.versions("")] == [f"{KEY}2"]
    assert bucket.head(KEY) is None


def test_a_link_says_how_the_object_is_shown(bucket: Bucket) -> None:
    """And ends; nothing of the credentials but their id is in it."""
    url = bucket.link(KEY, seconds=300, file_name="Ein Ü.mp4", content_type="video/mp4")
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-disposition"] == ["inline; filename*=UTF-8''Ein%20%C3%9C.mp4"]
    assert "ü" not in url
    assert "secret" not in url


# What AWS documents, and moto does not do.


def memory() -> tuple[MemoryS3, Bucket]:
    s3 = MemoryS3(smallest_part=1)
    return s3, s3.bucket()


def test_lists_of_parts_have_checksums() -> None:
    """AWS keeps the checksum of each part; moto's lists have none, so this is of S3 in memory alone."""
    _, bucket = memory()
    upload_id = bucket.begin_upload(KEY, FORM)
    for number in range(1, 1004):
        bucket.put_part(KEY, upload_id, number, b"%d" % number, zlib.crc32(b"%d" % number))
    upload = bucket.parts(KEY, upload_id)
    assert upload.full_object
    assert [part.crc for part in upload.parts] == [zlib.crc32(b"%d" % number) for number in range(1, 1004)]


@pytest.mark.parametrize("wrong", ["part", "whole", "size"])
def test_a_wrong_checksum_is_refused(wrong: str) -> None:
    """A part's, a whole object's, and a wrong size: no object comes of it."""
    s3, bucket = memory()
    upload_id = bucket.begin_upload(KEY, FORM)
    if wrong == "part":
        with pytest.raises(S3Refused) as refused:
            bucket.put_part(KEY, upload_id, 1, b"x", 1)
        assert refused.value.s3_code == "BadDigest"
        return
    part = bucket.put_part(KEY, upload_id, 1, b"x", zlib.crc32(b"x"))
    reported = replace(part, size=2) if wrong == "size" else part
    with pytest.raises(S3Refused) as refused:
        bucket.complete(KEY, upload_id, [reported], crc=1 if wrong == "whole" else zlib.crc32(b"x"))
    assert refused.value.s3_code == {"whole": "BadDigest", "size": "InvalidRequest"}[wrong]
    assert s3.body(KEY) is None


class Scripted:
    """A line that gives the answers of a list; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def exchange(self, *_: Any) -> Any:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def scripted(*answers: Any) -> tuple[Bucket, Scripted]:
    line = Scripted(*answers)
    return replace(MemoryS3().bucket(), line=line, clock=time.time), line


def test_a_completion_that_fails_behind_a_200_is_a_failure() -> None:
    """S3 says so in the body; it is asked again, as often as for any other failure."""
    failed: Answer = (200, {}, b"\n<Error><Code>InternalError</Code></Error>")
    bucket, line = scripted(*[failed] * 4)
    with pytest.raises(Unavailable):
        bucket.complete(KEY, "upload", [Part(1, 1, "e", 1)], crc=1)
    assert line.asked == 4
    bucket, line = scripted(failed, (200, {}, b"<CompleteMultipartUploadResult/>"))
    bucket.complete(KEY, "upload", [Part(1, 1, "e", 1)], crc=1)
    assert line.asked == 2


def test_what_may_pass_is_tried_again() -> None:
    """No connection, and S3's own failures; what is refused for good is not."""
    bucket, line = scripted(OSError(), (503, {}, b"<Error><Code>SlowDown</Code></Error>"), (200, {}, b""))
    put(bucket, KEY, b"x")
    assert line.asked == 3
    bucket, line = scripted((403, {}, b"<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(S3Refused) as refused:
        put(bucket, KEY, b"x")
    assert (refused.value.s3_code, refused.value.http_status, line.asked) == ("AccessDenied", 403, 1)


def test_a_checksum_of_checksums_is_recognized() -> None:
    """A store without checksums over whole objects gives the one over the parts' checksums, with their number."""
    parts = [Part(1, 3, "a", zlib.crc32(b"abc")), Part(2, 1, "b", zlib.crc32(b"d"))]
    reported = composite_crc(parts)
    bucket, _ = scripted((200, {"content-length": "4", "x-amz-checksum-crc32": reported}, b""))
    stored = bucket.head(KEY)
    assert stored is not None
    assert (stored.crc, stored.composite) == (None, reported)
    assert reported.endswith("-2")


@pytest.mark.parametrize("crc", [0, 1, 2**32 - 1])
def test_a_checksum_survives_its_header(crc: int) -> None:
    """And what is no checksum is None."""
    assert decoded_crc(encoded_crc(crc)) == crc
    assert decoded_crc("nonsense!") is None
    assert decoded_crc("") is None
