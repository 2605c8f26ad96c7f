"""From a folder with a manifest and code to one file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .inspection import BuildError, Inspection, inspect
from .section import with_manifest, with_real_names
from .world import NAMES, REAL_NAMES, WORLD, built_name, interfaces, world, write_world

__all__ = ["BuildError", "Built", "build", "replace"]

_TOOL = "componentize-py"
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Built:
    extension: bytes
    imports: list[str]
    exports: list[str]


def build(folder: Path, cache: Path | None = None) -> Built:
    """Builds the extension in a folder.

    With a folder for it, the component is made anew only where it would be another one: that takes many times as long
    as all else.
    """
    manifest = (folder / "manifest.toml").read_text(encoding="utf-8")
    inspection = inspect(folder, manifest)
    component = _kept(cache, folder, inspection) if cache else _make(folder, inspection)
    imports = interfaces(inspection.capabilities)
    return Built(with_manifest(component, manifest), imports, inspection.exports)


def replace(file: Path, content: bytes) -> None:
    """Whoever reads the file sees the old one or the new one."""
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    new.replace(file)


def _kept(cache: Path, folder: Path, inspection: Inspection) -> bytes:
    component = cache / "component.wasm"
    made_from = cache / "made-from"
    digest = _digest(inspection).encode()
    if component.is_file() and made_from.is_file() and made_from.read_bytes() == digest:
        return component.read_bytes()
    made = _make(folder, inspection)
    cache.mkdir(parents=True, exist_ok=True)
    # The digest goes first and comes last, so that it never stands beside another component.
    made_from.unlink(missing_ok=True)
    replace(component, made)
    replace(made_from, digest)
    return made


def _digest(inspection: Inspection) -> str:
    """Of all that the component is made of: the tool, the world, this package and the author's modules."""
    digest = hashlib.sha256()
    for part in [importlib.metadata.version(_TOOL), world(inspection.capabilities, inspection.exports)]:
        digest.update(f"{len(part)}:{part}".encode())
    for file in [*sorted(_PACKAGE.rglob("*.py")), *inspection.sources]:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _make(folder: Path, inspection: Inspection) -> bytes:
    if importlib.util.find_spec("componentize_py") is None:
        raise BuildError(f"{_TOOL} is not installed for {sys.executable}")
    with tempfile.TemporaryDirectory(prefix="occi-extension-") as made:
        wit, component = Path(made, "wit"), Path(made, "component.wasm")
        write_world(wit, inspection.capabilities, inspection.exports)
        # What the author has installed beside this package.
        installed = Path(sysconfig.get_path("purelib"))
        names = [f"{built_name(interface)}={name}" for interface, name in NAMES.items()]
        _run(
            [
                "--quiet",
                *("--wit-path", wit),
                *("--world", WORLD),
                *_each("--import-interface-name", names),
                "componentize",
                # What the host does not serve.
                "--stub-wasi",
                *_each("--python-path", [folder.resolve(), _PACKAGE.parent, _PACKAGE / "component", installed]),
                *("--output", component),
                "occi_component",
            ]
        )
        return with_real_names(component.read_bytes(), REAL_NAMES)


def _each(option: str, values: Iterable[str | Path]) -> list[str | Path]:
    return [part for value in values for part in (option, value)]


def _run(arguments: list[str | Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import componentize_py; componentize_py.script()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{_TOOL} failed:\n{done.stdout}{done.stderr}".rstrip())
