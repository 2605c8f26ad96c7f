"""Small state of the extension's own, kept for each tenant: the capability `keyvalue`.

What a call writes is committed with the request that it belongs to, or not at all; meanwhile it is read by that call
and by those that come after it in the same request. Where another request has changed meanwhile a key that this one
writes, the host calls again with what is stored then. What is read and not written is not compared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from .contract import Err
from .fault import Fault

if sys.platform == "wasi":
    from wit_world.imports import keyvalue as outside
else:
    from .in_memory import keyvalue as outside


class Store(MutableMapping[str, bytes]):
    """A mapping of bytes, with `get`, `pop` and all that mappings have. Its keys come in their order."""

    def __init__(self, bucket: outside.Bucket) -> None:
        self._bucket = bucket

    def __getitem__(self, key: str) -> bytes:
        with _asked():
            value = self._bucket.get(key)
        if value is None:
            raise KeyError(key)
        return bytes(value)

    def __setitem__(self, key: str, value: bytes) -> None:
        with _asked():
            self._bucket.set(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        with _asked():
            self._bucket.delete(key)

    def __contains__(self, key: object) -> bool:
        with _asked():
            return isinstance(key, str) and self._bucket.exists(key)

    def __iter__(self) -> Iterator[str]:
        cursor = None
        while True:
            with _asked():
                page = self._bucket.list_keys(cursor)
            yield from page.keys
            cursor = page.cursor
            if cursor is None:
                return

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get_text(self, key: str) -> str | None:
        """The value of a key as UTF-8."""
        value = self.get(key)
        return None if value is None else value.decode()

    def set_text(self, key: str, text: str) -> None:
        self[key] = text.encode()


def open(name: str = "") -> Store:
    """The store with that name, of at most 64 letters, digits, `-`, `_` and `.`; the empty one is the default."""
    with _asked():
        return Store(outside.open(name))


@contextmanager
def _asked() -> Iterator[None]:
    """WASI's error as a fault."""
    try:
        yield
    except Err as refused:
        match refused.value:
            case outside.Error_NoSuchStore():
                raise Fault.missing("there is no key-value store of that name") from refused
            case outside.Error_AccessDenied():
                raise Fault.denied("the extension may not use that key-value store") from refused
            case other:
                raise Fault.failed(other.value) from refused
