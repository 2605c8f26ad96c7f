"""What an extension is, before it is a component: what its code needs, held against its manifest."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .world import AMBIENT, INTERFACES

_SOURCE = Path(__file__).resolve().parents[2]

Actions = dict[str, list[str]]


class BuildError(Exception):
    """Why there is no component, and what would mend it."""


@dataclass(frozen=True)
class Inspection:
    #: The interfaces that the component has to export.
    exports: list[str]
    #: The capabilities that the code imports, and those that Python's own library is lent.
    capabilities: list[str]
    #: The files that the code is in.
    sources: list[Path]


def inspect(folder: Path, manifest: str) -> Inspection:
    if not (folder / "extension.py").is_file():
        raise BuildError(f"{folder} has no extension.py")
    try:
        declared = tomllib.loads(manifest)
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{folder / 'manifest.toml'}: {error}") from error
    found = _looked_at(folder)
    faults = compare(found["roles"], defined(declared)) + missing(found["capabilities"], declared)
    if faults:
        raise BuildError("\n".join(faults))
    if not found["interfaces"]:
        raise BuildError(f"{folder / 'extension.py'} has no handlers; install the manifest alone, if no code is needed")
    exports = [name for name in INTERFACES if name in found["interfaces"]]
    lent = [name for name in AMBIENT if name in declared.get("capabilities", {})]
    return Inspection(exports, sorted(found["capabilities"] + lent), [Path(file) for file in found["sources"]])


def _looked_at(folder: Path) -> Any:
    """What `look` says of the extension, in an interpreter of its own."""
    code = f"import sys; sys.path[:0] = {[str(folder.resolve()), str(_SOURCE)]!r}; import occi_extension.build.look"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(done.stderr.rstrip())
    return json.loads(done.stdout.splitlines()[-1])


def defined(manifest: dict[str, Any]) -> Actions:
    """The actions of each Kind and Mixin of a manifest."""
    return {
        f"{entry.get('scheme')}{entry.get('term')}": [action.get("term") for action in entry.get("action", [])]
        for entry in manifest.get("kind", []) + manifest.get("mixin", [])
    }


def compare(roles: Actions, manifest: Actions) -> list[str]:
    """What would not be called, and what would be called and is not there.

    The host sees neither: it knows the component's interfaces alone.
    """
    faults = []
    for role, terms in roles.items():
        if role not in manifest:
            faults.append(f"the code has handlers for {role}, but the manifest defines no such Kind or Mixin")
            continue
        for term in set(terms) - set(manifest[role]):
            faults.append(f"the code has the action '{term}' of {role}, but the manifest does not define it")
    for role, terms in manifest.items():
        for term in set(terms) - set(roles.get(role, [])):
            faults.append(f"the manifest defines the action '{term}' of {role}, but the code has no handler for it")
    return faults


def missing(capabilities: list[str], manifest: dict[str, Any]) -> list[str]:
    """What the code imports, and the manifest does not ask for."""
    asked = manifest.get("capabilities", {})
    return [
        f"the code imports {name}, but the manifest does not ask for it: add [capabilities.{name}]"
        for name in capabilities
        if name not in asked
    ]
