"""A backend in Django, in one file: people connect Zoom, meetings are created, events are handled.

Settings: GATEWAY_URL, GATEWAY_KEY (an API key), APP_URL (this program's own address, which RETURN_URLS of the gateway
lists), SESSION_SECRET; QUEUE_URL and the usual settings of AWS for events.
Run it: python app.py runserver 8000, and python app.py consume in a second terminal
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from urllib.parse import urlencode

import boto3
import requests
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

APP_URL = os.environ["APP_URL"]
GATEWAY_URL = os.environ["GATEWAY_URL"]
KEY = {"Authorization": f"Bearer {os.environ['GATEWAY_KEY']}"}
CONNECTIONS: dict[str, str] = {}  # your database: user -> connection id

settings.configure(
    SECRET_KEY=os.environ["SESSION_SECRET"],
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SESSION_COOKIE_SAMESITE="Lax",
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
)


def gateway(method: str, url: str, **given: object) -> requests.Response:
    """Call the gateway. It answers within 29 seconds."""
    headers = {**KEY, **given.pop("headers", {})}
    return requests.request(method, GATEWAY_URL + url, headers=headers, timeout=30, **given)


def current_user(request: HttpRequest) -> str:
    """Whoever is signed in to your program. Here each browser session is a user."""
    return str(request.session.setdefault("user", secrets.token_hex(8)))


@require_GET
def connect(request: HttpRequest) -> HttpResponse:
    """Send the browser to Zoom's consent page."""
    user = current_user(request)
    request.session["zoom_state"] = state = secrets.token_urlsafe(32)
    return_url = f"{APP_URL}/zoom/connected?{urlencode({'state': state})}"
    asked = gateway("POST", "/auth/zoom/authorize", json={"owner": user, "return_url": return_url})
    asked.raise_for_status()
    return HttpResponseRedirect(asked.json()["authorize_url"])


@require_GET
def connected(request: HttpRequest) -> HttpResponse:
    """Redeem the code, in the session that asked for it and for the user that it was asked for."""
    expected = request.session.pop("zoom_state", "")
    if not expected or not secrets.compare_digest(expected, request.GET.get("state", "")):
        return JsonResponse({"detail": "This browser did not ask to connect Zoom."}, status=403)
    if "code" not in request.GET:
        return JsonResponse({"detail": f"Zoom was not connected: {request.GET.get('error', 'no code')}"}, status=400)
    user = current_user(request)
    redeemed = gateway("POST", "/auth/zoom/redeem", json={"code": request.GET["code"], "owner": user})
    redeemed.raise_for_status()
    CONNECTIONS[user] = redeemed.json()["id"]
    return JsonResponse({"connected": True})


@csrf_exempt  # an API for programs; keep Django's check for forms of your own
@require_POST
def create_meeting(request: HttpRequest) -> HttpResponse:
    """Create a meeting for the user who is signed in. The body, the answer and the errors are Zoom's."""
    connection = CONNECTIONS.get(current_user(request))
    if connection is None:
        return JsonResponse({"detail": f"Connect Zoom first: {APP_URL}/zoom/connect"}, status=409)
    headers = {"X-Zoom-Connection": connection, "Idempotency-Key": secrets.token_hex(16)}
    made = gateway("POST", "/v2/users/me/meetings", json=json.loads(request.body), headers=headers)
    return JsonResponse(made.json(), status=made.status_code)


def handle(event: dict) -> None:
    """React to an event. It may come twice with the same id."""
    print(event["id"], event["type"], flush=True)


def consume() -> None:
    """Handle events for ever. One that raises stays on the queue and comes again."""
    sqs, queue = boto3.client("sqs"), os.environ["QUEUE_URL"]
    while True:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            handle(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


urlpatterns = [
    path("zoom/connect", connect),
    path("zoom/connected", connected),
    path("meetings", create_meeting),
]
application = get_wsgi_application()

if __name__ == "__main__":
    if sys.argv[1:] == ["consume"]:
        consume()
    execute_from_command_line(sys.argv)
