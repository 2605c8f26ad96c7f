"""What the sandbox does not have.

The interpreter was stopped while the extension was built, and each call goes on from there: asked for chance it would
give the same numbers in every call, and asked for the time it would end the call without a word. So whoever asks is
told.
"""

import builtins
import datetime
import importlib
import importlib.machinery
import io
import os
import sys
import time
from typing import Any, Never


def _lacking(what: str, why: str) -> Any:
    def refuse(*_given: object, **_named: object) -> Never:
        raise RuntimeError(f"there is no {what} in an extension: {why}")

    return refuse


_CLOCK = _lacking("clock", "count what `again` and the host tell, or let the client say the time")
_CHANCE = _lacking("chance", "make names of the id of the subject or of the operation, which are unique")
_FILE = _lacking("file", "keep what shall last in the key-value store")
_TIMER = _lacking("timer", "answer a change with `again`, and be observed")


class _Date(datetime.date):
    today = _CLOCK


class _Datetime(datetime.datetime):
    now = today = utcnow = _CLOCK


class _Sealed:
    """The last to be asked for a module: it was not imported at the build, and there is no file to import it from."""

    @staticmethod
    def find_spec(name: str, *_given: object) -> Never:
        raise ModuleNotFoundError(f"{name} was not imported at the build: import it at the head of a module", name=name)


class _Nowhere(io.TextIOBase):
    """For `print`, which nobody would read."""

    def write(self, text: str) -> int:
        return len(text)


def remove() -> None:
    """To be called before the extension is imported, which may keep what it finds."""
    clocks = ("time", "monotonic", "perf_counter", "process_time")
    for name in [*clocks, *(f"{clock}_ns" for clock in clocks), "clock_gettime", "localtime", "ctime"]:
        if hasattr(time, name):
            setattr(time, name, _CLOCK)
    time.sleep = _TIMER
    datetime.date = _Date  # type: ignore[misc]
    datetime.datetime = _Datetime  # type: ignore[misc]

    # `secrets`, `uuid` and random.SystemRandom take theirs from here.
    os.urandom = _CHANCE
    import random

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
