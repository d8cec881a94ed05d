"""Download the files of a recording with the token that `recording.completed` brings.

Zoom's event has a `download_token` that opens the files for 24 hours. The gateway publishes it where its parameter
PublishAlso has download_tokens. Without one, this program asks for a token of its own, as below.
Settings: GATEWAY_URL, GATEWAY_KEY; ZOOM_CONNECTION (its id) where the key reaches more than one.
https://developers.zoom.us/docs/api/rest/webhook-reference/recording-events/
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

import requests


def download(meeting: str, folder: Path) -> list[Path]:
    """Save every finished file of the latest recording of `meeting`; return the files. Raises requests.HTTPError.

    A file that Zoom still processes has no size and nothing to download: call again later for it.
    """
    query = {"include_fields": "download_access_token", "ttl": "3600"}
    headers = {"Authorization": f"Bearer {os.environ['GATEWAY_KEY']}"}
    if "ZOOM_CONNECTION" in os.environ:
        headers["X-Zoom-Connection"] = os.environ["ZOOM_CONNECTION"]
    found = requests.get(
        f"{os.environ['GATEWAY_URL']}/v2/meetings/{quote(meeting, safe='')}/recordings",
        params=query,
        headers=headers,
        timeout=60,
    )
    found.raise_for_status()
    recording = found.json()
    finished = [file for file in recording["recording_files"] if file.get("status", "completed") == "completed"]
    return [_save(file, recording["download_access_token"], folder) for file in finished]


def _save(file: dict, token: str, folder: Path) -> Path:
    """Write one file; it appears under its name when it is whole. A redirect to another host gets no token."""
    # Zoom gives a timeline and captions neither an id nor a size.
    target = folder / f"{file.get('id', file['file_type'])}.{file['file_extension'].lower()}"
    part = target.with_suffix(".part")
    with requests.get(
        file["download_url"], headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=60
    ) as answer:
        answer.raise_for_status()
        with part.open("wb") as output:
            for piece in answer.iter_content(1 << 20):
                output.write(piece)
    came = part.stat().st_size
    if came != file.get("file_size", came):
        raise ValueError(f"{target.name}: {came} bytes came, Zoom says {file['file_size']}.")
    return part.rename(target)


if __name__ == "__main__":
    for saved in download(sys.argv[1], Path(sys.argv[2])):
        print(saved)
