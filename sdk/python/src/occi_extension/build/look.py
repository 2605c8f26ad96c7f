"""A look at the extension that can be imported here: a program, whose last line says what it is, in JSON."""

import importlib
import json
import sys
import sysconfig
from pathlib import Path

from ..roles import roles_in

# The name of the capability where the module has another one.
_MODULES = {"log": "logging"}
_CAPABILITIES = (
    "config",
    "entities",
    "folder",
    "http",
    "images",
    "keyvalue",
    "log",
    "machines",
    "metrics",
    "networks",
    "volumes",
)

_APART = [
    Path(__file__).resolve().parents[1],
    *map(Path, {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}),
]


def _is_authors(file: Path) -> bool:
    installed = "site-packages" in file.parts or "dist-packages" in file.parts
    return installed or not any(file.is_relative_to(folder) for folder in _APART)


before = set(sys.modules)
roles = roles_in(importlib.import_module("extension"))
modules = [module for name, module in sys.modules.items() if name not in before]
files = {Path(file).resolve() for module in modules if (file := getattr(module, "__file__", None))}
print()
print(
    json.dumps(
        {
            "roles": {role.type_identifier: list(role.actions) for role in roles},
            "interfaces": sorted({name for role in roles for name in role.interfaces()}),
            "capabilities": [_MODULES.get(n, n) for n in _CAPABILITIES if f"occi_extension.{n}" in sys.modules],
            "sources": sorted(str(file) for file in files if _is_authors(file)),
        }
    )
)
