"""A backend in FastAPI: people connect Zoom, meetings are created, events are handled.

Settings: GATEWAY_URL, GATEWAY_KEY (an API key), APP_URL (this program's own address, which RETURN_URLS of the gateway
lists), SESSION_SECRET; QUEUE_URL and the usual settings of AWS for events. Run it: uvicorn app:app --port 8000
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import boto3
import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

GATEWAY = httpx.Client(
    base_url=os.environ["GATEWAY_URL"],
    headers={"Authorization": f"Bearer {os.environ['GATEWAY_KEY']}"},
    timeout=30,  # the gateway answers within 29 seconds
)
APP_URL = os.environ["APP_URL"]
QUEUE_URL = os.environ.get("QUEUE_URL")
CONNECTIONS: dict[str, str] = {}  # your database: user -> connection id
SEEN: dict[str, str] = {}  # your database: event id -> type


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Read events in the background. In production, let a program of its own do it (examples/consumer_python)."""
    stopping = threading.Event()
    if QUEUE_URL:
        threading.Thread(target=consume, args=(stopping,), daemon=True).start()
    yield
    stopping.set()


app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key=os.environ["SESSION_SECRET"], same_site="lax")


def current_user(request: Request) -> str:
    """Whoever is signed in to your program. Here each browser session is a user."""
    return str(request.session.setdefault("user", secrets.token_hex(8)))


@app.get("/zoom/connect")
def connect(request: Request) -> RedirectResponse:
    """Send the browser to Zoom's consent page."""
    user = current_user(request)
    request.session["zoom_state"] = state = secrets.token_urlsafe(32)
    return_url = f"{APP_URL}/zoom/connected?{urlencode({'state': state})}"
    asked = GATEWAY.post("/auth/zoom/authorize", json={"owner": user, "return_url": return_url})
    return RedirectResponse(asked.raise_for_status().json()["authorize_url"], status_code=303)


@app.get("/zoom/connected")
def connected(request: Request, state: str = "", code: str = "", error: str = "") -> dict:
    """Redeem the code, in the session that asked for it and for the user that it was asked for."""
    expected = request.session.pop("zoom_state", "")
    if not expected or not secrets.compare_digest(expected, state):
        raise HTTPException(403, "This browser did not ask to connect Zoom.")
    if error or not code:
        raise HTTPException(400, f"Zoom was not connected: {error or 'no code'}")
    user = current_user(request)
    redeemed = GATEWAY.post("/auth/zoom/redeem", json={"code": code, "owner": user})
    CONNECTIONS[user] = redeemed.raise_for_status().json()["id"]
    return {"connected": True}


@app.post("/meetings")
def create_meeting(request: Request, meeting: dict) -> JSONResponse:
    """Create a meeting for the user who is signed in. The body, the answer and the errors are Zoom's."""
    user = current_user(request)
    if user not in CONNECTIONS:
        raise HTTPException(409, f"Connect Zoom first: {APP_URL}/zoom/connect")
    headers = {"X-Zoom-Connection": CONNECTIONS[user], "Idempotency-Key": secrets.token_hex(16)}
    made = GATEWAY.post("/v2/users/me/meetings", json=meeting, headers=headers)
    return JSONResponse(made.json(), status_code=made.status_code)


@app.get("/events")
def events() -> dict:
    """The events that have been handled."""
    return {"events": [{"id": event, "type": kind} for event, kind in SEEN.items()]}


def handle(event: dict) -> None:
    """React to an event. It may come twice with the same id."""
    SEEN.setdefault(event["id"], event["type"])


def consume(stopping: threading.Event) -> None:
    """Handle events until the program stops. One that raises stays on the queue and comes again."""
    sqs = boto3.client("sqs")
    while not stopping.is_set():
        answer = sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        for message in answer.get("Messages", []):
            handle(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=QUEUE_URL, ReceiptHandle=message["ReceiptHandle"])
