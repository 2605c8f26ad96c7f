"""Other entities: the capability `entities`, by the contract's functions; see entities.pyi, wit/entities.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.entities import Listing, find
else:
    from .in_memory.absent import Absent

    Listing, find = Absent, Absent.open

__all__ = ["Listing", "find"]
