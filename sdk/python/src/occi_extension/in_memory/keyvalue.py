from __future__ import annotations

import re
from dataclasses import dataclass

from . import world
from .types import Err

# The host's own page is larger; this one shows whoever forgets to ask for the next.
_PAGE = 3


@dataclass
class Error_NoSuchStore:
    pass


@dataclass
class Error_AccessDenied:
    pass


@dataclass
class Error_Other:
    value: str


@dataclass
class KeyResponse:
    keys: list[str]
    cursor: str | None


class Bucket:
    def __init__(self, values: dict[str, bytes]) -> None:
        self._values = values

    def get(self, key: str) -> bytes | None:
        world.current().call("keyvalue.get", Error_Other)
        return self._values.get(key)

    def set(self, key: str, value: bytes) -> None:
        world.current().call("keyvalue.set", Error_Other)
        self._values[key] = bytes(value)

    def delete(self, key: str) -> None:
        world.current().call("keyvalue.delete", Error_Other)
        self._values.pop(key, None)

    def exists(self, key: str) -> bool:
        world.current().call("keyvalue.exists", Error_Other)
        return key in self._values

    def list_keys(self, cursor: str | None) -> KeyResponse:
        world.current().call("keyvalue.keys", Error_Other)
        keys = sorted(key for key in self._values if key > (cursor or ""))
        page = keys[:_PAGE]
        return KeyResponse(page, page[-1] if len(page) < len(keys) else None)


def open(identifier: str) -> Bucket:
    world.current().call("keyvalue.open", Error_Other)
    if not re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", identifier):
        raise Err(Error_NoSuchStore())
    return Bucket(world.current().stores.setdefault(identifier, {}))
