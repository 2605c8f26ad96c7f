"""All that the SDK has, for host/cli/tests/e2e/python_sdk.rs: what a client says of each type comes back."""

import random
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from occi_extension import (
    Attributes,
    Change,
    End,
    Fault,
    Kind,
    Reader,
    Subject,
    action,
    config,
    keyvalue,
    kind,
    log,
    metrics,
)
from occi_extension.volumes import Volume

LOUD = "http://example.com/replica#loud"


def replica(shown: Reader) -> Change:
    change = Change()
    for term, read in {
        "text": shown.text,
        "integer": shown.integer,
        "number": shown.number,
        "boolean": shown.boolean,
        "array": shown.json,
    }.items():
        value = read(f"com.example.replica.{term}")
        if value is None:
            change.clear(f"com.example.replicated.{term}")
        else:
            change.set(f"com.example.replicated.{term}", value)
    return change


def recurse() -> int:
    return recurse() + 1


def loop() -> None:
    while True:
        pass


def import_late() -> None:
    import tarfile  # noqa: F401


def exhaust() -> None:
    kept = []
    while True:
        kept.append(bytearray(b"\1" * (1 << 20)))


WAYS: dict[str, Callable[[], object]] = {
    "store": lambda: keyvalue.open("no/such"),
    "volume": lambda: Volume.open(End.SUBJECT),
    "figure": lambda: metrics.count("unknown"),
    "usage": lambda: metrics.usage(End.SUBJECT),
    "readings": lambda: metrics.readings(End.SUBJECT),
    "slip": lambda: None.length,  # type: ignore[attr-defined]
    "clock": time.time,
    "now": datetime.now,
    "chance": random.random,
    "secret": secrets.token_hex,
    "file": lambda: open("manifest.toml"),  # noqa: SIM115
    "late": import_late,
    "recursion": recurse,
    "loop": loop,
    "memory": exhaust,
}


@kind("http://example.com/replica#replica")
class Replica(Kind):
    def create(self, subject: Subject) -> Change:
        log.info(f"{subject.location} is made")
        metrics.count("made", 2)
        metrics.gauge("last", subject.number("com.example.replica.number") or 0)
        print("nobody reads this")
        # Python's library imports what it needs for that when it is called.
        assert datetime.strptime("28.11.2026", "%d.%m.%Y").isoformat() == "2026-11-28T00:00:00"
        return (
            replica(subject)
            .set("com.example.replicated.loud", LOUD in subject.mixins)
            .set("com.example.replicated.greeting", config.get("greeting") or "hello")
            .again(timedelta(seconds=1))
        )

    def update(self, subject: Subject, wanted: Attributes) -> Change:
        return replica(wanted.over(subject))

    def observe(self, subject: Subject, cause: str) -> Change:
        return Change().set("com.example.replicated.cause", cause)

    def migrate(self, subject: Subject, from_version: str) -> Change:
        raise Fault.unsupported(f"there is no way from {from_version}")

    @action("keep")
    def keep(self, subject: Subject, parameters: Attributes) -> Change:
        """Writes so many keys with an empty value each, and counts what is there then."""
        store = keyvalue.open("kept")
        for number in range(parameters.integer("count") or 0):
            key = f"{number:04}"
            store[key] = b""
            if store.get(key) != b"":
                raise Fault.failed("an empty value is none")
        store.pop("0000", None)
        if "0000" in store:
            raise Fault.failed("a deleted key has a value")
        return Change().set("com.example.replicated.keys", len(store))

    @action("refuse")
    def refuse(self, subject: Subject, parameters: Attributes) -> None:
        WAYS[parameters.text("how") or ""]()
