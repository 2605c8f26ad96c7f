"""What an extension finds outside of itself while it is tested: one world, that of the last host that was made."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..fault import Fault
from .types import End, Err

#: What a machine uses, in the order of the contract.
Used: TypeAlias = tuple[int, int, int, int, int, int]
#: A status, headers and a body.
Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Message:
    """A line of the operator's log."""

    level: str
    text: str


def _nobody(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    raise Fault.denied("the operator does not let the extension ask that server")


@dataclass
class World:
    config: dict[str, str] = field(default_factory=dict)
    stores: dict[str, dict[str, bytes]] = field(default_factory=dict)
    log: list[Message] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    #: By the locations of their entities.
    usages: dict[str | None, Used] = field(default_factory=dict)
    #: The same, by the names of the contract.
    readings: dict[str | None, dict[str, float]] = field(default_factory=dict)
    #: Where the entities are that the extension is called for.
    ends: dict[End, str | None] = field(default_factory=dict)
    #: Whom requests by HTTP go to.
    ask: Callable[[str, str, dict[str, str], bytes], Answer] = _nobody
    #: What the clocks show, in nanoseconds.
    time: int = 0
    #: The same numbers in each world.
    chance: random.Random = field(default_factory=lambda: random.Random(0))
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
