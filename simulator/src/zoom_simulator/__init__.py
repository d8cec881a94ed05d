"""A simulated Zoom: OAuth, REST API v2, webhooks and live meetings, in one process and in memory.

It is written from what is known about Zoom, not from what any client expects of it, and shares no code with one.
Start it with `zoom-simulator`; docs/reference.md describes its functions and its control API.
"""
