"""The world of an extension: what it imports and exports, upon the contract in wit/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

# The contract stands once in the repository, so this package is used from there.
CONTRACT = Path(__file__).resolve().parents[5] / "wit"

# Not the contract's own `extension`: Python has one namespace for the world and for the author's module.
WORLD = "component"

# The interfaces behind each capability.
CAPABILITIES = {
    "clocks": ["wasi:clocks/monotonic-clock@0.2.12", "wasi:clocks/wall-clock@0.2.12"],
    "config": ["wasi:config/store@0.2.0-rc.1"],
    "entities": ["occi:extension/entities@0.1.0"],
    "folder": ["occi:extension/folder@0.1.0"],
    "http": ["wasi:http/outgoing-handler@0.2.12"],
    "images": ["occi:extension/images@0.1.0"],
    "keyvalue": ["wasi:keyvalue/store@0.2.0-draft2"],
    "logging": ["wasi:logging/logging@0.1.0-draft"],
    "machines": ["occi:extension/machines@0.1.0"],
    "metrics": ["occi:extension/metrics@0.1.0"],
    "networks": ["occi:extension/networks@0.1.0"],
    "random": ["wasi:random/random@0.2.12"],
    "volumes": ["occi:extension/volumes@0.1.0"],
}

# What has no module of this package: Python's own stand upon them, wherever the manifest asks for them.
AMBIENT = ("clocks", "random")

# The names of interfaces in Python, where their own are not for this package: they are not clear, or change with what
# else is there.
NAMES = {
    "wasi:config/store@0.2.0-rc.1": "config",
    "wasi:http/types@0.2.12": "http_types",
    "wasi:keyvalue/store@0.2.0-draft2": "keyvalue",
    "occi:extension/types@0.1.0": "types",
}

INTERFACES = ("lifecycle", "actions", "observe", "migrate")


# componentize-py makes stubs of all that begins with `wasi:`, of which the host serves some. So these are built under
# another name of the same length, and named as they are in the end (`section.with_real_names`).
_REAL, _BUILT = "wasi:", "occi:"
_PACKAGES = ("clocks", "config", "http", "io", "keyvalue", "logging", "random")
REAL_NAMES = {f"{_BUILT}{package}/": f"{_REAL}{package}/" for package in _PACKAGES}


def built_name(interface: str) -> str:
    return interface.replace(_REAL, _BUILT)


def interfaces(capabilities: Iterable[str]) -> list[str]:
    return [interface for capability in capabilities for interface in CAPABILITIES[capability]]


def world(capabilities: Iterable[str], exports: Iterable[str]) -> str:
    items = [f"import {built_name(name)};" for name in interfaces(capabilities)]
    items += [f"export occi:extension/{name}@0.1.0;" for name in exports]
    body = "".join(f"    {item}\n" for item in items)
    return f"package occi:python;\n\nworld {WORLD} {{\n{body}}}\n"


def write_world(folder: Path, capabilities: Iterable[str], exports: Iterable[str]) -> None:
    """A folder with the world and all that it stands on."""
    capabilities = list(capabilities)
    dependencies = folder / "deps"
    shutil.copytree(CONTRACT / "deps", dependencies)
    shutil.copytree(CONTRACT, dependencies / "occi-extension", ignore=shutil.ignore_patterns("deps"))
    for file in dependencies.rglob("*.wit"):
        file.write_text(file.read_text(encoding="utf-8").replace(_REAL, _BUILT), encoding="utf-8")
    (folder / "world.wit").write_text(world(capabilities, exports), encoding="utf-8")
    # HTTP has a type from there. componentize-py imports the functions of whatever is there, which takes the grant.
    if "clocks" not in capabilities:
        clock = dependencies / "wasi-clocks/monotonic-clock.wit"
        clock.write_text(_without_functions(clock.read_text(encoding="utf-8")), encoding="utf-8")


def _without_functions(interface: str) -> str:
    return re.sub(r"^  @since\(.*\)\n  [a-z-]+: func[^;]*;\n", "", interface, flags=re.MULTILINE)
