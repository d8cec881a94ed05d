"""One S3 bucket: objects, multipart uploads and presigned links, signed here, over one kept-alive connection.

boto3 needs three times the processor time for each gibibyte, because it hashes what it sends. Here bodies are sent as
UNSIGNED-PAYLOAD under TLS, and every body has a CRC32 that S3 compares before it answers:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
import xml.etree.ElementTree as ET
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, unquote

from zoom_common.aws.retries import is_retryable, pause
from zoom_common.aws.sigv4 import ALGORITHM, Credentials, Scope, signing_key
from zoom_common.errors import InternalError, Unavailable

REASON = "archive_storage"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_TRIES = 4
_SECONDS = 60.0
_ERROR = 300
_NOT_FOUND = 404
# A listing of S3 (keys, parts, uploads) has at most this many entries a page.
_PAGE = "1000"


class Line(Protocol):
    """A connection to S3 that sends one request and returns status, headers (lower case) and body. Raises OSError."""

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read its whole answer; `target` is path and query."""
        ...


class S3Refused(InternalError):
    """S3 refuses a request and would refuse it again. `s3_code` is S3's code, such as NoSuchUpload."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(where="s3", cause=code)
        self.s3_code = code
        self.http_status = status


@dataclass(frozen=True, slots=True)
class ObjectForm:
    """How an object is stored: content type, storage class, and tags for the bucket's lifecycle rules."""

    content_type: str = "application/octet-stream"
    storage_class: str = "STANDARD"
    tags: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> dict[str, str]:
        """Return the headers for it."""
        tags = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(self.tags.items()))
        headers = {"content-type": self.content_type, "x-amz-storage-class": self.storage_class}
        return headers | ({"x-amz-tagging": tags} if tags else {})


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What S3 holds under a key. `crc` is S3's checksum over the whole object, or None when S3 has none.

    `composite` is the checksum over the parts' checksums, from stores without full-object checksums.
    """

    size: int
    crc: int | None = None
    composite: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One uploaded part, with the CRC32 that S3 has compared."""

    number: int
    size: int
    etag: str
    crc: int | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload under way. `full_object` says whether S3 will keep a checksum over the whole object."""

    parts: Sequence[Part]
    full_object: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket at `endpoint`. Methods raise Unavailable for transient failures, and S3Refused for refusals.

    An `endpoint` without the bucket's name in its host is addressed by path, as emulators require.
    """

    name: str
    host: str
    scheme: str
    by_path: bool
    scope: Scope
    line: Line
    credentials: Callable[[], Credentials]
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    random: Callable[[], float]

    def put(self, key: str, body: bytes | bytearray | memoryview, crc: int, form: ObjectForm) -> None:
        """Store a whole object if there is none. Raises S3Refused with PreconditionFailed if there is one."""
        headers = form.headers() | {"x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-checksum-crc32": encoded_crc(crc)}
        headers |= {"if-none-match": "*"}
        self._send("PUT", key, headers=headers, body=body)

    def begin_upload(self, key: str, form: ObjectForm) -> str:
        """Begin a multipart upload with a CRC32 over the full object, and return its id.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
        """
        headers = form.headers() | {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"}
        _, _, body = self._send("POST", key, {"uploads": ""}, headers=headers)
        return _text(_document(body), "UploadId")

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray | memoryview, crc: int) -> Part:
        """Upload one part. S3 accepts it only if its CRC32 is `crc`."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        _, about, _ = self._send("PUT", key, query, headers={"x-amz-checksum-crc32": encoded_crc(crc)}, body=body)
        return Part(number, len(body), about.get("etag", ""), crc)

    def parts(self, key: str, upload_id: str) -> Upload:
        """Return the parts that S3 holds, in order. Raises S3Refused with NoSuchUpload.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
        """
        found: list[Part] = []
        query = {"uploadId": upload_id, "max-parts": _PAGE}
        while True:
            page = _document(self._send("GET", key, query)[2])
            for each in _all(page, "Part"):
                crc = _text(each, "ChecksumCRC32")
                number, size = int(_text(each, "PartNumber")), int(_text(each, "Size"))
                found.append(Part(number, size, _text(each, "ETag"), decoded_crc(crc)))
            if _text(page, "IsTruncated") != "true":
                return Upload(found, full_object=_text(page, "ChecksumType") == "FULL_OBJECT")
            query |= {"part-number-marker": _text(page, "NextPartNumberMarker")}

    def complete(self, key: str, upload_id: str, parts: Sequence[Part], *, crc: int | None) -> None:
        """Join the parts into an object, unless the key has one. With `crc`, S3 compares it with the whole object's.

        S3 may answer 200 and report a failure in the body, which raises like any other failure:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
        """
        headers = {"if-none-match": "*", "x-amz-mp-object-size": str(sum(part.size for part in parts))}
        if crc is not None:
            headers |= {"x-amz-checksum-crc32": encoded_crc(crc), "x-amz-checksum-type": "FULL_OBJECT"}
        rows = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{part.etag}</ETag>"
            f"<ChecksumCRC32>{encoded_crc(part.crc or 0)}</ChecksumCRC32></Part>"
            for part in parts
        )
        body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        self._send("POST", key, {"uploadId": upload_id}, headers=headers, body=body)

    def abort(self, key: str, upload_id: str) -> None:
        """End an upload and drop its parts. It is no error if it has ended already."""
        try:
            self._send("DELETE", key, {"uploadId": upload_id})
        except S3Refused as refused:
            if refused.s3_code != "NoSuchUpload":
                raise

    def uploads(self, prefix: str) -> Iterator[tuple[str, str, float]]:
        """Yield key, upload id and begin (epoch seconds) of the uploads under way whose keys begin with `prefix`."""
        query = {"uploads": "", "prefix": prefix, "encoding-type": "url", "max-uploads": _PAGE}
        while True:
            page = _document(self._send("GET", "", query)[2])
            for each in _all(page, "Upload"):
                yield unquote(_text(each, "Key")), _text(each, "UploadId"), _moment(_text(each, "Initiated"))
            if _text(page, "IsTruncated") != "true":
                return
            query |= {
                "key-marker": unquote(_text(page, "NextKeyMarker")),
                "upload-id-marker": _text(page, "NextUploadIdMarker"),
            }

    def head(self, key: str) -> StoredObject | None:
        """Return what S3 holds under `key`, with its own checksum, or None."""
        try:
            _, about, _ = self._send("HEAD", key, headers={"x-amz-checksum-mode": "ENABLED"})
        except S3Refused as refused:
            if refused.http_status == _NOT_FOUND:
                return None
            raise
        crc = about.get("x-amz-checksum-crc32", "")
        composite = crc if "-" in crc else None
        return StoredObject(int(about["content-length"]), None if composite else decoded_crc(crc), composite)

    def read(self, key: str, first: int, size: int) -> bytes:
        """Return up to `size` bytes of an object from byte `first` on; nothing after its end."""
        try:
            return self._send("GET", key, headers={"range": f"bytes={first}-{first + size - 1}"})[2]
        except S3Refused as refused:
            if refused.s3_code == "InvalidRange":
                return b""
            raise

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield key and version id of every version and delete marker whose key begins with `prefix`."""
        query = {"versions": "", "prefix": prefix, "encoding-type": "url", "max-keys": _PAGE}
        while True:
            page = _document(self._send("GET", "", query)[2])
            for each in (*_all(page, "Version"), *_all(page, "DeleteMarker")):
                yield unquote(_text(each, "Key")), _text(each, "VersionId")
            if _text(page, "IsTruncated") != "true":
                return
            query |= {
                "key-marker": unquote(_text(page, "NextKeyMarker")),
                "version-id-marker": _text(page, "NextVersionIdMarker"),
            }

    def delete(self, key: str, version: str) -> None:
        """Permanently delete one version of an object. It is no error if it is gone already."""
        self._send("DELETE", key, {"versionId": version} if version else {})

    def link(self, key: str, *, seconds: int, file_name: str, content_type: str) -> str:
        """Return a URL by which anybody can read the object, for `seconds` and no longer than our credentials last.

        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
        """
        credentials, stamp = self.credentials(), self._stamp()
        shown = quote(file_name, safe="")
        query = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{credentials.access_key_id}/{self._place(stamp)}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            "response-content-disposition": f"inline; filename*=UTF-8''{shown}",
            "response-content-type": content_type,
        }
        if credentials.session_token:
            query["X-Amz-Security-Token"] = credentials.session_token.reveal()
        path = self._path(key)
        signature = self._signature("GET", path, query, {"host": self.host}, stamp, credentials)
        return f"{self.scheme}://{self.host}{path}?{_query(query)}&X-Amz-Signature={signature}"

    def _send(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | bytearray | memoryview = b"",
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return the answer to a request. Transient failures are tried again."""
        cause = "unreachable"
        for tried in range(_TRIES):
            if tried:
                self.sleep(pause(tried + 2, self.random()))
            try:
                answer = self._try(method, key, query or {}, headers or {}, body)
            except OSError:
                cause = "unreachable"
                continue
            failed = _failure(method, answer)
            if failed is None:
                return answer
            cause = failed
            if not is_retryable(answer[0] if answer[0] >= _ERROR else 0, failed) and failed != "InternalError":
                raise S3Refused(failed, answer[0])
        raise Unavailable(reason=REASON, cause=cause)

    def _try(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | bytearray | memoryview,
    ) -> tuple[int, Mapping[str, str], bytes]:
        credentials, stamp, path = self.credentials(), self._stamp(), self._path(key)
        signed = {**headers, "host": self.host, "x-amz-date": stamp, "x-amz-content-sha256": _UNSIGNED}
        if credentials.session_token:
            signed["x-amz-security-token"] = credentials.session_token.reveal()
        signature = self._signature(method, path, query, signed, stamp, credentials)
        credential = f"{credentials.access_key_id}/{self._place(stamp)}"
        names = ";".join(sorted(signed))
        signed["authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        target = f"{path}?{_query(query)}" if query else path
        return self.line.exchange(method, target, signed, body, _SECONDS)

    def _signature(  # noqa: PLR0917 - the parts of what is signed, in their order
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        stamp: str,
        credentials: Credentials,
    ) -> str:
        lines = [f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)]
        names = ";".join(sorted(headers))
        request = "\n".join([method, path, _query(query), *lines, "", names, _UNSIGNED])
        digest = hashlib.sha256(request.encode()).hexdigest()
        to_sign = "\n".join([ALGORITHM, stamp, self._place(stamp), digest])
        secret = credentials.secret_access_key.reveal()
        key = signing_key(secret, stamp[:8], self.scope.region, self.scope.service)
        return hmac.digest(key, to_sign.encode(), "sha256").hex()

    def _stamp(self) -> str:
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.clock()))

    def _place(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self.scope.region}/{self.scope.service}/aws4_request"

    def _path(self, key: str) -> str:
        bucket = f"/{self.name}" if self.by_path else ""
        return f"{bucket}/{quote(key, safe='/-_.~')}"


def encoded_crc(crc: int) -> str:
    """Return a CRC32 as S3's headers have it."""
    return b64encode(crc.to_bytes(4, "big")).decode()


def decoded_crc(text: str) -> int | None:
    """Return the CRC32 in one of S3's headers, or None for any other text."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return int.from_bytes(raw, "big") if len(raw) == 4 else None  # noqa: PLR2004 - a CRC32 has four bytes


def composite_crc(parts: Sequence[Part]) -> str:
    """Return the checksum of the checksums of `parts`, as a store without full-object checksums states it."""
    joined = b"".join((part.crc or 0).to_bytes(4, "big") for part in parts)
    return f"{encoded_crc(zlib.crc32(joined))}-{len(parts)}"


def _failure(method: str, answer: tuple[int, Mapping[str, str], bytes]) -> str | None:
    """Return S3's code of a failure, or None for a success.

    The completion of an upload can report a failure with a 200.
    """
    status, _, body = answer
    if status < _ERROR and not (method == "POST" and b"<Error>" in body):
        return None
    try:
        code = _text(_document(body), "Code")
    except Unavailable:
        code = ""
    return code or f"HTTP{status}"


def _document(body: bytes) -> ET.Element:
    """Return the root element of S3's answer.

    During long work S3 sends white space first to keep the connection open.
    """
    try:
        return ET.fromstring(body.strip())  # noqa: S314 - S3's own answer, over TLS
    except ET.ParseError:
        raise Unavailable(reason=REASON, cause="not_xml") from None


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in element if each.tag.rpartition("}")[2] == name]


def _text(element: ET.Element, name: str) -> str:
    return next((each.text or "" for each in element if each.tag.rpartition("}")[2] == name), "")


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _query(query: Mapping[str, str]) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query, key=_quoted))


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
