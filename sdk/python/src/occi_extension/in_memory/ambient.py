"""A world's clocks and randomness, which take the place of the machine's while an extension is called."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import stand_ins
from ..stand_ins import StandIn
from .world import World


def of(world: World) -> list[StandIn]:
    def clock() -> int:
        return world.time

    return [*stand_ins.clocks(clock, clock), *stand_ins.chance(world.chance.randbytes)]


@contextmanager
def placed(found: list[StandIn]) -> Iterator[None]:
    """In each module, as `from time import time` keeps what it finds."""
    replaced = {id(getattr(where, name)): stand_in for where, name, stand_in in found}
    kept = [
        (module, name, replaced[id(value)])
        for module in _modules()
        for name, value in list(vars(module).items())
        if id(value) in replaced
    ]
    before = [(where, name, getattr(where, name)) for where, name, _ in [*found, *kept]]
    _place([*found, *kept])
    try:
        yield
    finally:
        _place(before)


def _modules() -> Iterator[Any]:
    """Those of the author. Python's own ask where the originals are, and this package keeps them."""
    apart = {*sys.stdlib_module_names, __name__.partition(".")[0]}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in apart and hasattr(module, "__dict__"):
            yield module


def _place(found: Iterable[StandIn]) -> None:
    for where, name, value in found:
        setattr(where, name, value)
