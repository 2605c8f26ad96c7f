"""A folder of its own: the capability `folder`, by the contract's functions; see folder.pyi, wit/folder.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.folder import names, read, remove, write
else:
    from .in_memory.absent import Absent

    names = read = remove = write = Absent.open

__all__ = ["names", "read", "remove", "write"]
