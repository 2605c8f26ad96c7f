"""The world of an extension: what it imports and exports, upon the contract in wit/."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

# The contract stands once in the repository, so this package is used from there.
CONTRACT = Path(__file__).resolve().parents[5] / "wit"

# Not the contract's own `extension`: Python has one namespace for the world and for the author's module.
WORLD = "component"

# The interface behind each module of a capability.
CAPABILITIES = {
    "config": "wasi:config/store@0.2.0-rc.1",
    "keyvalue": "wasi:keyvalue/store@0.2.0-draft2",
    "logging": "wasi:logging/logging@0.1.0-draft",
    "machines": "occi:extension/machines@0.1.0",
    "networks": "occi:extension/networks@0.1.0",
    "volumes": "occi:extension/volumes@0.1.0",
}

INTERFACES = ("lifecycle", "actions", "observe", "migrate")


# componentize-py makes stubs of all that begins with `wasi:`, of which the host serves some. So these are built under
# another name of the same length, and named as they are in the end (`section.with_real_names`).
_REAL, _BUILT = "wasi:", "occi:"


def built_name(capability: str) -> str:
    return CAPABILITIES[capability].replace(_REAL, _BUILT)


def world(capabilities: Iterable[str], exports: Iterable[str]) -> str:
    items = [f"import {built_name(name)};" for name in capabilities]
    items += [f"export occi:extension/{name}@0.1.0;" for name in exports]
    body = "".join(f"    {item}\n" for item in items)
    return f"package occi:python;\n\nworld {WORLD} {{\n{body}}}\n"


def write_world(folder: Path, text: str) -> None:
    """A folder with the world and all that it stands on."""
    dependencies = folder / "deps"
    shutil.copytree(CONTRACT / "deps", dependencies)
    shutil.copytree(CONTRACT, dependencies / "occi-extension", ignore=shutil.ignore_patterns("deps"))
    for file in dependencies.rglob("*.wit"):
        file.write_text(file.read_text(encoding="utf-8").replace(_REAL, _BUILT), encoding="utf-8")
    (folder / "world.wit").write_text(text, encoding="utf-8")
