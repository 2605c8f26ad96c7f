"""Figures: what machines use, and what the extension counts for the operator. The capability `metrics`.

What is counted has a name that the manifest declares, in the lists `counters` and `gauges` of `[capabilities.metrics]`;
any other is `denied`. It counts at once, whether or not the operation is committed, and once more where the host calls
again; and begins anew with the server's process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from .contract import End, Err
from .fault import Fault

if sys.platform == "wasi":
    from wit_world.imports import metrics as outside
else:
    from .in_memory import metrics as outside


@dataclass(frozen=True)
class Usage:
    """What a machine uses. All but the memory is counted since it has power; what a device has done goes with it."""

    #: What its CPUs have computed, all of them together.
    cpu_time: timedelta = timedelta()
    #: Memory that it has now, in bytes.
    memory: int = 0
    #: Bytes from its disks.
    disk_read: int = 0
    #: Bytes to its disks.
    disk_written: int = 0
    #: Bytes that have come to its interfaces.
    network_received: int = 0
    #: Bytes that its interfaces have sent.
    network_sent: int = 0


def count(counter: str, by: int = 1) -> None:
    """Add to a counter."""
    with _asked():
        outside.count(counter, by)


def gauge(gauge: str, value: float) -> None:
    """Set a gauge; `invalid` where the value is not finite."""
    with _asked():
        outside.gauge(gauge, value)


def usage(of: End) -> Usage:
    """What the machine of an entity uses; `missing` if there is none. One that has no power uses nothing."""
    with _asked():
        read = outside.Usage.read(of)
    with read:
        return Usage(
            timedelta(milliseconds=read.cpu_time()),
            read.memory(),
            read.disk_read(),
            read.disk_written(),
            read.network_received(),
            read.network_sent(),
        )


def readings(of: End) -> dict[str, float]:
    """What was read some seconds ago of the machine of an entity, its disks and interfaces summed up; or, where the
    subject is a link, of the device that is attached for it.

    By names as Prometheus has them, with their units: `cpu_seconds_total`, `vcpus`, `memory_bytes`,
    `disk_read_bytes_total` and others, which the contract lists. What the hypervisor does not tell is left out, and all
    is where the machine has no power. What ends in `_total` is counted since it has power. `missing` where there is
    neither, `unavailable` where the hypervisor does not answer.
    """
    with _asked():
        return {reading.name: reading.value for reading in outside.readings(of)}


@contextmanager
def _asked() -> Iterator[None]:
    """The contract's fault as one that can be caught."""
    try:
        yield
    except Err as refused:
        raise Fault.of(refused, "metrics") from refused
