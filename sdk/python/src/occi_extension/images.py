"""Images: the capability `images`, by the contract's functions; see images.pyi, wit/images.wit."""

import sys

if sys.platform == "wasi":
    from wit_world.imports.images import make, make_of_volume
else:
    from .in_memory.absent import Absent

    make = Absent.open
    make_of_volume = Absent.open

__all__ = ["make", "make_of_volume"]
