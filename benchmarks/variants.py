"""The functions that run side by side: how each is started, and an event that it answers with success."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import builds, environments
from benchmarks.authority import Authority
from benchmarks.events import event_for, slack_delivery, zoom_delivery
from benchmarks.runtime_api import Program
from benchmarks.scenario import Servers, lambda_environment
from benchmarks.workspace import BENCH, HERE, digest, making, run

NOOP = "no-op"
# These use boto3, which reads all public roots; see docs/adr/0014-light-aws-clients-on-hot-paths.md.
_ON_BOTO3 = {"erasures", "health", "oauth", "reconcile", "token_refresh", "usage"}


@dataclass(frozen=True, slots=True)
class Variant:
    """One contender. `event` makes a fresh event each time; `succeeds` looks at an answer."""

    name: str
    program: Program
    event: Callable[[], bytes] | None
    statuses: tuple[int, ...] = (200, 201)

    def next_event(self) -> bytes:
        """A fresh event. Raises LookupError when nobody has said what this function answers."""
        if self.event is None:
            raise LookupError(self.name)
        return self.event()


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that has to be built before anything can start."""

    python: Path
    ours: builds.Build
    without_bytecode: builds.Build
    plain: Path
    noop: Path
    python_peers: Path
    node_peers: Path | None

    @classmethod
    def all(cls, authority: Authority) -> Made:
        """Build it, or find it built."""
        built = builds.ours()
        peers = environments.python_peers()
        builds.trust_in(peers, authority)
        return cls(
            python=environments.runtime(),
            ours=builds.trusting(built, authority),
            without_bytecode=builds.trusting(built, authority, bytecode=False),
            plain=builds.plain(authority),
            noop=builds.noop(),
            python_peers=peers,
            node_peers=_bundled(environments.node_peers()),
        )


class Variants:
    """Makes variants for one set of servers."""

    def __init__(self, made: Made, servers: Servers) -> None:
        self._made = made
        self._servers = servers

    def noop(self) -> Variant:
        """The floor: the runtime interface client and an empty handler."""
        return Variant(NOOP, self._python(self._made.noop, "noop"), lambda: b"{}")

    def ours(self, name: str) -> Variant:
        """One of our functions, as built."""
        build = self._made.ours
        program = self._python(build.functions / name, name, packages=build.packages, more=self._roots(name))
        return Variant("ours", program, event_for(name), _statuses(name))

    def without_bytecode(self, name: str) -> Variant:
        """The same function as plain `sam build` leaves it."""
        build = self._made.without_bytecode
        program = self._python(build.functions / name, name, packages=build.packages, more=self._roots(name))
        return Variant("ours, plain sam build", program, event_for(name), _statuses(name))

    def _roots(self, name: str) -> dict[str, str]:
        """Our own clients believe Amazon's roots alone for AWS's names. The local server has another, so it is said."""
        return {} if name in _ON_BOTO3 else {"AWS_CA_BUNDLE": str(self._servers.authority.amazons)}

    def plain(self, name: str) -> Variant:
        """The plain stack's function."""
        label = {"webhook": "boto3", "meetings": "Powertools + pydantic + boto3 + requests"}[name]
        return Variant(
            label, self._python(self._made.plain / name.title(), name, handler="app.handler"), event_for(name)
        )

    def webhook_peers(self) -> list[Variant]:
        """Zoom's and Slack's own receivers, plain and bundled. They verify and dispatch, and queue nothing."""
        bolt = self._python(HERE / "peers", "peer", handler="bolt_app.handler", packages=self._made.python_peers)
        found = [Variant("slack_bolt", bolt, slack_delivery)]
        folder = self._made.node_peers
        if folder:
            found += [
                Variant("Rivet", self._node(folder / "rivet.mjs"), zoom_delivery),
                Variant("Rivet, bundled", self._node(folder / "bundled" / "rivet.mjs"), zoom_delivery),
                Variant("@slack/bolt", self._node(folder / "bolt.mjs"), slack_delivery),
                Variant("@slack/bolt, bundled", self._node(folder / "bundled" / "bolt.mjs"), slack_delivery),
            ]
        return found

    def _python(
        self,
        folder: Path,
        name: str,
        *,
        handler: str = "handler.handler",
        packages: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Program:
        environment = lambda_environment(name, self._servers, packages=packages) | dict(more or {})
        command = [str(self._made.python), "-m", "awslambdaric", handler]
        return Program(command, folder, environment | {"LAMBDA_TASK_ROOT": str(folder), "_HANDLER": handler})

    def _node(self, module: Path) -> Program:
        environment = lambda_environment(module.stem, self._servers)
        bootstrap = HERE / "peers" / "bootstrap.mjs"
        return Program([shutil.which("node") or "node", str(bootstrap), str(module)], module.parent, environment)


def _statuses(name: str) -> tuple[int, ...]:
    """Nobody has told the local server of a meeting's life: "unknown" is the answer of `events`."""
    return (404,) if name == "events" else (200, 201)


def _bundled(folder: Path | None) -> Path | None:
    """Put the peers' handlers beside their libraries, and bundled ones in a folder without any."""
    if folder is None:
        return None
    sources = [HERE / "peers" / "rivet.mjs", HERE / "peers" / "bolt.mjs"]
    target = BENCH / "node-bundles"
    mark = digest([*sources, folder / "package-lock.json"])
    with making(target, mark) as needed:
        if needed:
            for source in sources:
                shutil.copy(source, folder)
                command: list[str | Path] = [
                    folder / "node_modules" / ".bin" / "esbuild",
                    source.name,
                    "--bundle",
                    "--minify",
                ]
                command += ["--platform=node", "--target=node20", "--format=esm", f"--outfile={target / source.name}"]
                # CommonJS inside of an ES module asks for `require`, which such a module has not got.
                banner = "import{createRequire as r}from'module';const require=r(import.meta.url);"
                run([*command, f"--banner:js={banner}", "--log-level=error"], cwd=folder)
            link = folder / "bundled"
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return folder
