"""How much processor time the archive's worker takes to move a gibibyte: downloads and uploads over plain sockets.

python -m benchmarks.archive_transfer [MIB]

A second process serves the film and takes the parts, so that its time is not counted. TLS is not in it: with AES in the
processor it adds about 0.4 seconds a gibibyte in each direction.
"""

from __future__ import annotations

import multiprocessing
import re
import resource
import socket
import sys
import time
import zlib

from zoom_common.archive.downloads_client import DownloadClient, Link
from zoom_common.aws.s3 import Bucket
from zoom_common.aws.s3_line import HttpLine
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.secret import Secret

PART = 32 * 1024 * 1024
_RANGE = re.compile(rb"range: bytes=(\d+)-(\d+)", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def serve(listener: socket.socket, total: int) -> None:
    """Answer ranges with noise, and take whatever is sent."""
    noise = bytes(range(256)) * (PART // 256)
    while True:
        connection, _ = listener.accept()
        if not _fork_for(connection, noise, total):
            return


def _fork_for(connection: socket.socket, noise: bytes, total: int) -> bool:
    process = multiprocessing.get_context("fork").Process(target=_answer, args=(connection, noise, total), daemon=False)
    process.start()
    connection.close()
    return True


def _answer(connection: socket.socket, noise: bytes, total: int) -> None:
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            more = connection.recv(65_536)
            if not more:
                return
            waiting += more
        head, _, waiting = waiting.partition(b"\r\n\r\n")
        asked = _RANGE.search(head)
        if asked:
            first, last = int(asked[1]), min(int(asked[2]), total - 1)
            size = last - first + 1
            about = f"Content-Length: {size}\r\nContent-Range: bytes {first}-{last}/{total}"
            connection.sendall(f"HTTP/1.1 206 Partial Content\r\n{about}\r\n\r\n".encode())
            connection.sendall(noise[:size])
            continue
        length = _LENGTH.search(head)
        left = int(length[1]) - len(waiting) if length else 0
        while left > 0:
            left -= len(connection.recv(min(left, 1 << 20)))
        waiting = b""
        connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n')


def main() -> None:
    """Move so many MiB, and print the processor's seconds for each GiB and the most memory."""
    total = int(sys.argv[1] if len(sys.argv) > 1 else "1024") * 1024 * 1024
    listener = socket.create_server(("127.0.0.1", 0))
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener, total))
    server.start()
    bucket = Bucket(
        name="archive",
        host=place,
        scheme="http",
        by_path=True,
        scope=Scope("s3", "us-east-1"),
        line=HttpLine("http", place, ()),
        credentials=lambda: Credentials("id", Secret("secret"), None),
        clock=time.time,
        sleep=time.sleep,
        random=lambda: 0.5,
    )
    downloads, link, buffer = (
        DownloadClient(f"http://{place}"),
        Link(f"http://{place}/film"),
        memoryview(bytearray(PART)),
    )
    begun, processor = time.monotonic(), time.process_time()
    for number, first in enumerate(range(0, total, PART), start=1):
        download = downloads.get(link, first, min(first + PART, total) - 1)
        read = download.fill(buffer, lambda: None)
        bucket.put_part("film", "upload", number, buffer[:read], zlib.crc32(buffer[:read]))
    processor, took = time.process_time() - processor, time.monotonic() - begun
    server.terminate()
    gib = total / 2**30
    print(f"{processor / gib:.2f} s of processor a GiB, {total / took / 1e6:.0f} MB/s here")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB of memory at most")


if __name__ == "__main__":
    main()
