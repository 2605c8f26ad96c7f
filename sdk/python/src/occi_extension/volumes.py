"""Block storage: the capability `volumes`, by the contract's functions; see volumes.pyi, wit/volumes.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.volumes import Volume
else:
    from .in_memory.absent import Absent

    Volume = Absent

__all__ = ["Volume"]
