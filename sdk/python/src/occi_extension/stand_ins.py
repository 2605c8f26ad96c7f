"""Python's clocks and randomness upon others: the host's in a component, and the test's in a test."""

from __future__ import annotations

import datetime
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

#: Nanoseconds, since 1970 or since some moment.
Clock: TypeAlias = Callable[[], int]
#: So many random bytes.
Source: TypeAlias = Callable[[int], bytes]
#: Where something is, its name there, and what takes its place.
StandIn: TypeAlias = tuple[Any, str, Any]

_SECOND = 10**9
# In bytes: more possibilities than anybody tries.
_SEED = 32

_gmtime, _asctime, _strftime = time.gmtime, time.asctime, time.strftime
_seed = random.Random.seed


def clocks(wall: Clock, monotonic: Clock) -> Iterator[StandIn]:
    """The sandbox has no time zone of its own, so that local time is UTC."""

    def gmtime(seconds: float | None = None) -> time.struct_time:
        return _gmtime(wall() // _SECOND if seconds is None else seconds)

    for name, clock in [("time", wall), ("monotonic", monotonic), ("perf_counter", monotonic)]:
        yield time, name, _in_seconds(clock)
        yield time, f"{name}_ns", clock
    yield time, "gmtime", gmtime
    yield time, "localtime", gmtime
    yield time, "asctime", lambda moment=None: _asctime(gmtime() if moment is None else moment)
    yield time, "ctime", lambda seconds=None: _asctime(gmtime(seconds))
    yield time, "strftime", lambda format, moment=None: _strftime(format, gmtime() if moment is None else moment)
    yield from _calendar(wall)


def chance(source: Source) -> Iterator[StandIn]:
    """`secrets`, `uuid` and random.SystemRandom take theirs from the first two, and what has no seed from the third."""

    def seed(generator: Any, a: Any = None, version: int = 2) -> None:
        # The interpreter would ask the system itself.
        _seed(generator, int.from_bytes(source(_SEED)) if a is None else a, version)

    yield os, "urandom", source
    yield random, "_urandom", source
    yield random.Random, "seed", seed


def _in_seconds(clock: Clock) -> Callable[[], float]:
    return lambda: clock() / _SECOND


def _calendar(wall: Clock) -> Iterator[StandIn]:
    real: dict[str, type] = {"date": datetime.date, "datetime": datetime.datetime}

    def now(tz: datetime.tzinfo | None) -> datetime.datetime:
        seconds, nanoseconds = divmod(wall(), _SECOND)
        utc = datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(microsecond=nanoseconds // 1000)
        return utc.astimezone(tz) if tz else utc.replace(tzinfo=None)

    class Either(type):
        """What is of the real class is of the one that takes its place, too."""

        def __instancecheck__(cls, instance: object) -> bool:
            # A class of the author's may stand upon one of these.
            is_stand_in = cls.__module__ == "datetime"
            return isinstance(instance, real[cls.__name__]) if is_stand_in else super().__instancecheck__(instance)

    class Date(datetime.date, metaclass=Either):
        @classmethod
        def today(cls) -> Any:
            moment = now(None)
            return cls(moment.year, moment.month, moment.day)

    class Datetime(datetime.datetime, metaclass=Either):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            moment = now(tz)
            return cls.combine(moment.date(), moment.timetz())

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now()

    stand_ins: list[tuple[str, Any]] = [("date", Date), ("datetime", Datetime)]
    for name, stand_in in stand_ins:
        stand_in.__module__, stand_in.__name__, stand_in.__qualname__ = "datetime", name, name
        yield datetime, name, stand_in
