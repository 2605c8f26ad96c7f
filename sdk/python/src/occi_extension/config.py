"""What the operator has set for the extension: the capability `config`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .contract import Err
from .fault import Fault

if sys.platform == "wasi":
    from wit_world.imports import config as outside
else:
    from .in_memory import config as outside


def get(key: str) -> str | None:
    """The value of a key."""
    with _asked():
        return outside.get(key)


def all() -> dict[str, str]:
    """All keys with their values."""
    with _asked():
        return dict(outside.get_all())


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except Err as refused:
        raise Fault.failed(refused.value.value) from refused
