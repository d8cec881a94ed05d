"""What is compared, built: ours as `make build` builds it, the no-op, and the plain stack by plain `sam build`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.authority import Authority
from benchmarks.workspace import BENCH, HERE, PROGRAMS, ROOT, architecture, digest, making, run

_LAYER = ROOT / "layers" / "zoom_common"
_FUNCTIONS = ROOT / "functions"


@dataclass(frozen=True, slots=True)
class Build:
    """`layer` is what Lambda unpacks under /opt; `functions` has one folder per function."""

    layer: Path
    functions: Path

    @property
    def packages(self) -> Path:
        """The layer's folder for `sys.path`."""
        return self.layer / "python"


def function_names() -> list[str]:
    """Every function there is."""
    return sorted(folder.name for folder in _FUNCTIONS.iterdir() if (folder / "handler.py").is_file())


def ours(folder: Path = BENCH / "build") -> Build:
    """The layer and every function, by the Makefiles that `sam build` calls."""
    build = Build(folder / "layer", folder / "functions")
    mark = digest([_LAYER, _FUNCTIONS], architecture())
    with making(folder, mark) as needed:
        if needed:
            _make(_LAYER / "Makefile", _LAYER, "ZoomCommonLayer", build.layer)
            for name in function_names():
                # Every function's rule is the same; SAM would call it by the function's logical id.
                _make(_FUNCTIONS / "Makefile", _FUNCTIONS / name, name, build.functions / name)
    return build


def noop() -> Path:
    """The no-op, built as our functions are."""
    folder = BENCH / "noop"
    mark = digest([HERE / "noop", _FUNCTIONS / "Makefile"])
    with making(folder, mark) as needed:
        if needed:
            _make(_FUNCTIONS / "Makefile", HERE / "noop", "noop", folder / "function")
    return folder / "function"


def plain(authority: Authority) -> Path:
    """The plain stack: folders `Webhook` and `Meetings`, as `sam build` makes them."""
    folder = BENCH / "plain"
    mark = digest([HERE / "plain", authority.certificate], architecture())
    with making(folder, mark) as needed:
        if needed:
            command: list[str | Path] = [PROGRAMS / "sam", "build", "--template-file", HERE / "plain" / "template.yaml"]
            command += ["--build-dir", folder / "build", "--parameter-overrides", f"Architecture={architecture()}"]
            run(command, cwd=folder, environment={"SAM_CLI_TELEMETRY": "0"})
            trust_in(folder / "build", authority)
    return folder / "build"


def trusting(build: Build, authority: Authority, *, bytecode: bool = True) -> Build:
    """A copy of a build that trusts the local servers; without bytecode it is what plain `sam build` makes of it."""
    folder = BENCH / ("trusting" if bytecode else "without-bytecode")
    mark = digest([build.layer, build.functions, authority.certificate])
    copy = Build(folder / "layer", folder / "functions")
    with making(folder, mark) as needed:
        if needed:
            left_out = None if bytecode else shutil.ignore_patterns("__pycache__")
            shutil.copytree(build.layer, copy.layer, ignore=left_out)
            shutil.copytree(build.functions, copy.functions, ignore=left_out)
            trust_in(folder, authority)
    return copy


def trust_in(folder: Path, authority: Authority) -> None:
    """Let every copy of certifi below `folder` trust the local servers: nothing else is asked when requests decides."""
    for bundle in folder.rglob("certifi/cacert.pem"):
        authority.trust(bundle)


def _make(makefile: Path, source: Path, name: str, target: Path) -> None:
    target.mkdir(parents=True)
    command: list[str | Path] = ["make", "--silent", "-f", makefile, "-C", source, f"build-{name}"]
    run([*command, f"ARTIFACTS_DIR={target}", f"ARCHITECTURE={architecture()}"])
