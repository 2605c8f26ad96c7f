"""What an extension finds outside of itself while it is tested: one world, that of the last host that was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .types import Err


@dataclass(frozen=True)
class Message:
    """A line of the operator's log."""

    level: str
    text: str


@dataclass
class World:
    config: dict[str, str] = field(default_factory=dict)
    stores: dict[str, dict[str, bytes]] = field(default_factory=dict)
    log: list[Message] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0

    def next(self) -> int:
        """A number that no other thing of this world has."""
        self.made += 1
        return self.made

    def call(self, name: str, error: Callable[[str], Any]) -> None:
        """A call of a capability, which fails if it was told to."""
        for failure in self.failures:
            if failure[0] == name:
                self.failures.remove(failure)
                raise Err(error(failure[1]))


_world = World()


def current() -> World:
    return _world


def begin() -> World:
    global _world
    _world = World()
    return _world
