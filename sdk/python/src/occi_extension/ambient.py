"""What the sandbox does not have, and what the host lends in its place.

The interpreter was stopped while the extension was built, and each call goes on from there: asked for chance it would
give the same numbers in every call, and asked for the time it would end the call without a word. So clocks and
randomness are the host's, where the manifest asks for them, and else whoever asks is told.
"""

import builtins
import importlib
import importlib.machinery
import io
import os
import random
import sys
import time
from typing import Any, Never

from . import stand_ins

# What the manifest asks for.
try:
    from wit_world.imports import monotonic_clock, wall_clock  # type: ignore[import-not-found]
except ImportError:
    wall_clock = None
try:
    from wit_world.imports import random as lent_random
except ImportError:
    lent_random = None


def _lacking(what: str, why: str) -> Any:
    def refuse(*_given: object, **_named: object) -> Never:
        raise RuntimeError(f"there is no {what}: {why}")

    return refuse


_CLOCK = _lacking(
    "clock in an extension that does not ask for one",
    "add [capabilities.clocks] to the manifest, count what `again` and the host tell, or let the client say the time",
)
_CHANCE = _lacking(
    "chance in an extension that does not ask for it",
    "add [capabilities.random] to the manifest, or make names of the id of the subject or of the operation, which are"
    " unique",
)
_PROCESSOR = _lacking("clock of the processor in an extension", "measure by time.monotonic")
_FILE = _lacking("file in an extension", "keep what shall last in the key-value store")
_TIMER = _lacking("timer in an extension", "answer a change with `again`, and be observed")

# The host lends to calls.
_is_called = False


def remove() -> None:
    """To be called before the extension is imported, which may keep what it finds."""
    _place(stand_ins.clocks(_wall, _monotonic) if wall_clock else stand_ins.clocks(_CLOCK, _CLOCK))
    for name in (
        "process_time",
        "process_time_ns",
        "thread_time",
        "thread_time_ns",
        "clock_gettime",
        "clock_gettime_ns",
    ):
        if hasattr(time, name):
            setattr(time, name, _PROCESSOR if wall_clock else _CLOCK)
    time.sleep = _TIMER

    _place(stand_ins.chance(_bytes if lent_random else _CHANCE))
    if not lent_random:
        for name in random.__all__:
            if getattr(getattr(random, name), "__self__", None) is not None:
                setattr(random, name, _CHANCE)

    sys.stdout = sys.stderr = _Nowhere()


def seal() -> None:
    """To be called after the extension is imported, which may read files while it is."""
    # Python's own library imports it in a call.
    importlib.import_module("_strptime")

    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, _Sealed]
    builtins.open = io.open = os.open = _FILE


def begin() -> None:
    """To be called at the head of each call: what `random` gives is then another sequence than in any other."""
    global _is_called
    _is_called = True
    if lent_random:
        random._inst.seed()


def _place(found: Any) -> None:
    for where, name, stand_in in found:
        setattr(where, name, stand_in)


def _wall() -> int:
    _in_a_call("clock")
    now = wall_clock.now()
    return int(now.seconds) * 10**9 + int(now.nanoseconds)


def _monotonic() -> int:
    _in_a_call("clock")
    return int(monotonic_clock.now())


def _bytes(count: int) -> bytes:
    _in_a_call("chance")
    # The host gives a mebibyte at a time.
    parts = [min(1 << 20, count - start) for start in range(0, count, 1 << 20)]
    return b"".join(bytes(lent_random.get_random_bytes(part)) for part in parts)


def _in_a_call(what: str) -> None:
    if not _is_called:
        raise RuntimeError(
            f"there is no {what} while the extension is built: each call would find the same; ask in a call"
        )


class _Sealed:
    """The last to be asked for a module: it was not imported at the build, and there is no file to import it from."""

    @staticmethod
    def find_spec(name: str, *_given: object) -> Never:
        raise ModuleNotFoundError(f"{name} was not imported at the build: import it at the head of a module", name=name)


class _Nowhere(io.TextIOBase):
    """For `print`, which nobody would read."""

    def write(self, text: str) -> int:
        return len(text)
