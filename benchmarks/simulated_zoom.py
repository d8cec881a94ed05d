"""How fast the simulated Zoom answers, against a bare server of the same framework.

Both run as their own process under uvicorn on one core each; the load comes from this process over kept-alive
connections that send a request and read its answer as fast as they can. Rounds are interleaved, medians are compared:
ratios hold between machines, requests a second do not.

    python benchmarks/simulated_zoom.py [--seconds 3] [--rounds 3] [--connections 16]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

CLIENT = ("benchmark", "benchmark-secret")
REDIRECT = "http://localhost:3999/callback"
ZOOM_PORT, BARE_PORT = 3991, 3992
REQUIRED = 1_000
BARE = """
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def answer(request):
    return JSONResponse({"id": request.path_params["user"], "email": "jill@zoom.example", "type": 2})

app = Starlette(routes=[Route("/v2/users/{user}", answer)])
uvicorn.run(app, host="127.0.0.1", port={port}, log_level="warning", access_log=False)
"""


@contextmanager
def server(arguments: list[str], port: int) -> Iterator[None]:
    """A server in a process of its own, until the end of the block."""
    process = subprocess.Popen([sys.executable, *arguments])
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def token() -> str:
    """A bearer of the simulated Zoom."""
    with httpx.Client(base_url=f"http://127.0.0.1:{ZOOM_PORT}") as client:
        asked = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": REDIRECT, "decision": "allow"}
        allowed = client.post("/oauth/authorize", data={**asked, "user": "jill@zoom.example"})
        code = allowed.headers["location"].partition("code=")[2]
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return str(client.post("/oauth/token", data=fields, auth=CLIENT).json()["access_token"])


def request(method: str, path: str, bearer: str, body: bytes = b"") -> bytes:
    """A request as it stands on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {bearer}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def load(port: int, wire: bytes, seconds: float, connections: int) -> tuple[float, float]:
    """Requests a second, and the slowest but one in a hundred in milliseconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(wire)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 20" not in head[:13]:
                raise RuntimeError(f"unexpected answer: {head[:60]!r}")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            if length:
                await reader.readexactly(int(length))
            times.append(time.perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(connections)))
    took = time.perf_counter() - began
    return len(times) / took, statistics.quantiles(times, n=100)[98] * 1000


def main() -> int:
    """Print a table; the exit status says whether the simulator is fast enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    zoom = ["-m", "zoom_simulator", "--port", str(ZOOM_PORT), "--no-limits", "--redirect-uri", REDIRECT]
    zoom += ["--client-id", CLIENT[0], "--client-secret", CLIENT[1]]
    results: dict[str, list[tuple[float, float]]] = {}
    with server(zoom, ZOOM_PORT), server(["-c", BARE.replace("{port}", str(BARE_PORT))], BARE_PORT):
        bearer = token()
        cases = {
            "bare Starlette": (BARE_PORT, request("GET", "/v2/users/me", bearer)),
            "GET /users/me": (ZOOM_PORT, request("GET", "/v2/users/me", bearer)),
            "GET /users/me/meetings": (ZOOM_PORT, request("GET", "/v2/users/me/meetings", bearer)),
            "POST /users/me/meetings": (
                ZOOM_PORT,
                request("POST", "/v2/users/me/meetings", bearer, b'{"topic":"Benchmark","type":2}'),
            ),
        }
        for _ in range(options.rounds):
            for name, (port, wire) in cases.items():
                if "POST" not in name:
                    results.setdefault(name, []).append(
                        asyncio.run(load(port, wire, options.seconds, options.connections))
                    )
        # writing last, and briefly: the lists above should not grow in the meantime
        name = "POST /users/me/meetings"
        port, wire = cases[name]
        httpx.patch(f"http://127.0.0.1:{ZOOM_PORT}/_sim/behaviour", json={"user_daily_limit": 10**9})
        results[name] = [asyncio.run(load(port, wire, 1.0, options.connections))]
    bare = statistics.median(rate for rate, _ in results["bare Starlette"])
    print(f"{'':26}{'requests/s':>11}{'of bare':>9}{'p99 ms':>8}")
    for name, rounds in results.items():
        rate = statistics.median(rate for rate, _ in rounds)
        slow = statistics.median(slow for _, slow in rounds)
        print(f"{name:26}{rate:11,.0f}{rate / bare:9.2f}{slow:8.1f}")
    fast_enough = statistics.median(rate for rate, _ in results["GET /users/me"]) >= REQUIRED
    print(f"{'at least' if fast_enough else 'less than'} {REQUIRED:,} simple requests a second")
    return 0 if fast_enough else 1


if __name__ == "__main__":
    raise SystemExit(main())
