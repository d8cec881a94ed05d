"""The server. Zoom's paths go to ASGI applications of their own; Starlette serves the control API and the pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette

from zoom_simulator import asgi, snapshot
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.control import accounts, meetings, system, webhooks
from zoom_simulator.downloads import Downloads
from zoom_simulator.families import Families
from zoom_simulator.model import State
from zoom_simulator.oauth.endpoints import OAuth
from zoom_simulator.pages import dashboard as page
from zoom_simulator.pages import joining
from zoom_simulator.rest import table
from zoom_simulator.rest.api import RestApi
from zoom_simulator.scenarios.crowds import Crowds
from zoom_simulator.seed import Settings
from zoom_simulator.simulator import Simulator
from zoom_simulator.webhooks.sender import Sender

SWEEP_SECONDS = 300


def create(
    settings: Settings | None = None,
    *,
    state_file: Path | None = None,
    state: State | None = None,
    behaviour: Behaviour | None = None,
    clock: Clock | None = None,
    seed: int | None = None,
    sender: Sender | None = None,
) -> Server:
    """Return a simulated Zoom.

    It starts from `state`, or from one new account, and writes `state_file` when it stops. Ids and tokens are the same
    every time for the same `seed`. ValueError when a setting cannot be used.
    """
    sim = Simulator(
        settings or Settings(),
        table.scopes(),
        state=state,
        behaviour=behaviour,
        clock=clock,
        seed=seed,
        sender=sender,
    )
    return Server(sim, state_file)


class Server:
    """The whole simulated Zoom as one ASGI application."""

    def __init__(self, sim: Simulator, state_file: Path | None = None) -> None:
        self.sim = sim
        self._state_file = state_file
        self._rest = RestApi(sim)
        self._oauth = OAuth(sim)
        self._downloads = Downloads(sim)
        self._families = Families(sim)
        self._pages = Starlette(
            routes=[
                *page.ROUTES,
                *joining.ROUTES,
                *system.ROUTES,
                *accounts.ROUTES,
                *meetings.ROUTES,
                *webhooks.ROUTES,
            ],
            lifespan=self._lifespan,
        )
        self._pages.state.sim = sim
        self._pages.state.crowds = Crowds(sim)
        sim.save = self.save

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if self._families.serves(path):
                return await self._families(scope, receive, send)
            if path.startswith("/v2/"):
                return await self._rest(scope, receive, send)
            if path.startswith("/rec/"):
                return await self._downloads(scope, receive, send)
            if path.startswith("/oauth/"):
                return await self._oauth(scope, receive, send)
        return await self._pages(scope, receive, send)

    def save(self) -> None:
        """Write the state file, where there is one."""
        if self._state_file is not None:
            snapshot.save(self._state_file, self.sim.state)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.sim.resume()
        tasks = [
            asyncio.create_task(self.sim.timetable.run()),
            asyncio.create_task(self.sim.deliveries.run()),
            asyncio.create_task(self._sweep()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.sim.sender.close()
            self.save()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sim.grants.sweep(self.sim.clock.now())
