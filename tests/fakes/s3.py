"""S3 in memory: the line under the real client, so that tests run the client's own requests and the store's own rules.

It answers as AWS documents it: checksums over full objects, parts with their checksums, conditional writes, versions.
`tests/stores/test_s3.py` holds it to moto where moto knows the same. Where moto differs from AWS: its lists of parts
have no checksums, it compares no CRC32 of a part or of a whole object, and it does not know uploads that were ended.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from zoom_common.aws.s3 import Bucket, decoded_crc, encoded_crc
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.secret import Secret

SMALLEST_PART = 5 * 1024 * 1024

type Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(slots=True)
class Version:
    """One version of an object, or a delete marker (`body` is None)."""

    version_id: str
    body: bytes | None
    headers: Mapping[str, str]
    crc: int


@dataclass(slots=True)
class PendingUpload:
    key: str
    begun: float
    headers: Mapping[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.answer: Answer = status, {}, f"<Error><Code>{code}</Code></Error>".encode()


class MemoryS3:
    """One bucket with versions. `smallest_part` lets tests have parts of some bytes."""

    def __init__(self, *, smallest_part: int = SMALLEST_PART, clock: Callable[[], float] = time.time) -> None:
        self.objects: dict[str, list[Version]] = {}
        self.pending: dict[str, PendingUpload] = {}
        self.completed: dict[str, str] = {}
        self.smallest_part = smallest_part
        self.clock = clock
        self.received = 0
        """Bytes of parts and objects that came in."""
        self._made = 0

    def bucket(self, sleep: Callable[[float], object] = lambda _: None) -> Bucket:
        """The real client over this store."""
        return Bucket(
            name="archive",
            host="archive.s3.eu-central-1.amazonaws.com",
            scheme="https",
            by_path=False,
            scope=Scope("s3", "eu-central-1"),
            line=self,
            credentials=lambda: Credentials("id", Secret("secret"), None),
            clock=self.clock,
            sleep=sleep,
            random=lambda: 0.5,
        )

    def body(self, key: str) -> bytes | None:
        """The object under `key` as it is now."""
        versions = self.objects.get(key, [])
        return versions[-1].body if versions else None

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview, seconds: float
    ) -> Answer:
        """Carry out one request."""
        assert seconds > 0
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            return self._carry_out(method, unquote(parts.path).removeprefix("/"), query, headers, bytes(body))
        except Refused as refused:
            return refused.answer if method != "HEAD" else (refused.answer[0], {}, b"")

    def _carry_out(  # noqa: PLR0911 - one for each operation
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        match method:
            case "PUT" if "uploadId" in query:
                return self._put_part(query, headers, body)
            case "PUT":
                return self._put(key, headers, body)
            case "POST" if "uploads" in query:
                return self._begin(key, headers)
            case "POST":
                return self._complete(key, query, headers, body)
            case "DELETE" if "uploadId" in query:
                self._upload(query)
                del self.pending[query["uploadId"]]
                return 204, {}, b""
            case "DELETE":
                return self._delete(key, query)
            case "GET" if "uploadId" in query:
                return self._list_parts(query)
            case "GET" if "uploads" in query:
                return self._list_uploads(query)
            case "GET" if "versions" in query:
                return self._list_versions(query)
        return self._read(method, key, headers)

    def _put(self, key: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("if-none-match") == "*" and self.body(key) is not None:
            raise Refused(412, "PreconditionFailed")
        _compare(headers, body)
        self.received += len(body)
        self._store(key, body, headers)
        return 200, {"etag": _etag(body), "x-amz-checksum-crc32": encoded_crc(zlib.crc32(body))}, b""

    def _begin(self, key: str, headers: Mapping[str, str]) -> Answer:
        assert headers["x-amz-checksum-algorithm"] == "CRC32"
        assert headers["x-amz-checksum-type"] == "FULL_OBJECT"
        self._made += 1
        upload_id = f"upload-{self._made}"
        self.pending[upload_id] = PendingUpload(key, self.clock(), dict(headers))
        return (
            200,
            {},
            f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>".encode(),
        )

    def _put_part(self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        upload = self._upload(query)
        _compare(headers, body)
        self.received += len(body)
        upload.parts[int(query["partNumber"])] = body
        return 200, {"etag": _etag(body), "x-amz-checksum-crc32": encoded_crc(zlib.crc32(body))}, b""

    def _complete(self, key: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        if self.completed.get(query["uploadId"]) == key:  # repeated: https://docs.aws.amazon.com/AmazonS3/latest/API
            return 200, {}, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"
        upload = self._upload(query)
        if headers.get("if-none-match") == "*" and self.body(key) is not None:
            raise Refused(412, "PreconditionFailed")
        named = re.findall(rb"<PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag>", body)
        bodies = []
        for at, (number, etag) in enumerate(named):
            part = upload.parts.get(int(number))
            if part is None or _etag(part) != etag.decode():
                raise Refused(400, "InvalidPart")
            if len(part) < self.smallest_part and at < len(named) - 1:
                raise Refused(400, "EntityTooSmall")
            bodies.append(part)
        whole = b"".join(bodies)
        if not named or int(headers["x-amz-mp-object-size"]) != len(whole):
            raise Refused(400, "InvalidRequest")
        _compare(headers, whole)
        self._store(key, whole, upload.headers)
        del self.pending[query["uploadId"]]
        self.completed[query["uploadId"]] = key
        return 200, {}, b"  \n<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"

    def _delete(self, key: str, query: Mapping[str, str]) -> Answer:
        versions = self.objects.get(key, [])
        if "versionId" in query:
            self.objects[key] = [each for each in versions if each.version_id != query["versionId"]]
        else:
            self._made += 1
            self.objects.setdefault(key, []).append(Version(f"v{self._made}", None, {}, 0))
        return 204, {}, b""

    def _read(self, method: str, key: str, headers: Mapping[str, str]) -> Answer:
        body = self.body(key)
        if body is None:
            raise Refused(404, "NoSuchKey")
        version = self.objects[key][-1]
        about = {"content-length": str(len(body)), "content-type": version.headers.get("content-type", "")}
        about |= {"x-amz-version-id": version.version_id}
        if headers.get("x-amz-checksum-mode") == "ENABLED":
            about |= {"x-amz-checksum-crc32": encoded_crc(version.crc), "x-amz-checksum-type": "FULL_OBJECT"}
        if method == "HEAD":
            return 200, about, b""
        first, last = (int(each) for each in headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(body):
            raise Refused(416, "InvalidRange")
        return 206, about, body[first : last + 1]

    def _list_parts(self, query: Mapping[str, str]) -> Answer:
        parts = sorted(self._upload(query).parts.items())
        after, most = int(query.get("part-number-marker", "0")), int(query["max-parts"])
        page = [each for each in parts if each[0] > after][:most]
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{len(body)}</Size><ETag>{escape(_etag(body))}</ETag>"
            f"<ChecksumCRC32>{encoded_crc(zlib.crc32(body))}</ChecksumCRC32></Part>"
            for number, body in page
        )
        return _listing("ListPartsResult", rows, truncated=page != [] and page[-1] != parts[-1],
                        ChecksumType="FULL_OBJECT", NextPartNumberMarker=str(page[-1][0]) if page else "")  # fmt: skip

    def _list_uploads(self, query: Mapping[str, str]) -> Answer:
        rows = "".join(
            f"<Upload><Key>{quote(each.key)}</Key><UploadId>{upload_id}</UploadId>"
            f"<Initiated>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(each.begun))}</Initiated></Upload>"
            for upload_id, each in sorted(self.pending.items(), key=lambda each: (each[1].key, each[1].begun))
            if each.key.startswith(query.get("prefix", ""))
        )
        return _listing("ListMultipartUploadsResult", rows)

    def _list_versions(self, query: Mapping[str, str]) -> Answer:
        found = [
            ("Version" if each.body is not None else "DeleteMarker", key, each.version_id)
            for key, versions in sorted(self.objects.items())
            if key.startswith(query.get("prefix", ""))
            for each in reversed(versions)
        ]
        rows = "".join(
            f"<{kind}><Key>{quote(key)}</Key><VersionId>{at}</VersionId></{kind}>" for kind, key, at in found
        )
        return _listing("ListVersionsResult", rows)

    def _upload(self, query: Mapping[str, str]) -> PendingUpload:
        upload = self.pending.get(query["uploadId"])
        if upload is None:
            raise Refused(404, "NoSuchUpload")
        return upload

    def _store(self, key: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._made += 1
        version = Version(f"v{self._made}", body, dict(headers), zlib.crc32(body))
        self.objects.setdefault(key, []).append(version)


def _compare(headers: Mapping[str, str], body: bytes) -> None:
    reported = headers.get("x-amz-checksum-crc32")
    if reported is not None and decoded_crc(reported) != zlib.crc32(body):
        raise Refused(400, "BadDigest")


def _etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def _listing(root: str, rows: str, *, truncated: bool = False, **more: str) -> Answer:
    about = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    text = f"<{root}><IsTruncated>{'true' if truncated else 'false'}</IsTruncated>{about}{rows}</{root}>"
    return 200, {}, text.encode()
