"""Which names the manifest declares is not known here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from . import world
from .types import End, Err, Fault


def _failure(message: str) -> Fault:
    return Fault("failed", message, None)


def count(name: str, by: int) -> None:
    world.current().call("metrics.count", _failure)
    if by < 0:
        raise ValueError(f"{name} cannot be counted down by {-by}")
    world.current().counters[name] = world.current().counters.get(name, 0) + by


def gauge(name: str, value: float) -> None:
    world.current().call("metrics.gauge", _failure)
    if not math.isfinite(value):
        raise Err(Fault("invalid", f"the gauge {name} is set to {value}, which is no figure", None))
    world.current().gauges[name] = value


@dataclass
class Reading:
    name: str
    value: float


def readings(of: End) -> list[Reading]:
    """Those which the test has set for the entity at that end."""
    world.current().call("metrics.readings", _failure)
    read = world.current().readings.get(world.current().ends.get(of))
    if read is None:
        raise Err(Fault("missing", "there is no such machine, and no such device", None))
    return [Reading(name, value) for name, value in read.items()]


class Usage:
    def __init__(self, used: world.Used) -> None:
        self._used = used

    @classmethod
    def read(cls, of: End) -> Self:
        """That which the test has set for the entity at that end."""
        world.current().call("metrics.usage", _failure)
        used = world.current().usages.get(world.current().ends.get(of))
        if used is None:
            raise Err(Fault("missing", "there is no such machine", None))
        return cls(used)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_given: object) -> None:
        pass

    def cpu_time(self) -> int:
        return self._used[0]

    def memory(self) -> int:
        return self._used[1]

    def disk_read(self) -> int:
        return self._used[2]

    def disk_written(self) -> int:
        return self._used[3]

    def network_received(self) -> int:
        return self._used[4]

    def network_sent(self) -> int:
        return self._used[5]
