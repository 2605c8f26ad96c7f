"""Other entities: the capability `entities`, by the contract's functions; see entities.pyi, wit/entities.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.entities import Listing, find, link, unlink
else:
    from .in_memory.absent import Absent

    Listing, find, link, unlink = Absent, Absent.open, Absent.open, Absent.open

__all__ = ["Listing", "find", "link", "unlink"]
