"""A host in memory, so that an extension's tests run it as it is written.

It calls the extension as the server does, and applies what is answered. While it is called, Python's clocks stand where
the test has set them, at first 1970, and chance is the same for each host; that has every extension here, whatever its
manifest asks for. What the server does with the manifest (checks
of types, of required and immutable attributes, of the states that an action allows) is not done here, and there are no
machines, volumes and networks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias, TypeVar

from ..calls import Extension
from ..fault import Fault
from ..http import Request, Response
from ..in_memory import ambient
from ..in_memory.types import Change, End, Err
from ..in_memory.world import Answer, Message, begin
from ..metrics import Usage
from ..roles import Role
from ..values import Value, lower_all
from .entity import Entity, View

__all__ = ["Call", "Entity", "Host", "Message", "Request", "Response", "Usage"]

#: The calls of capabilities that can be made to fail.
Call: TypeAlias = Literal[
    "config.get",
    "config.all",
    "keyvalue.open",
    "keyvalue.get",
    "keyvalue.set",
    "keyvalue.delete",
    "keyvalue.exists",
    "keyvalue.keys",
    "metrics.count",
    "metrics.gauge",
    "metrics.usage",
    "metrics.readings",
]

T = TypeVar("T")


class Host:
    """A host with one extension, which is made of these Kinds and Mixins.

    It takes the place of the earlier one: there is one at a time. A crashing host crashes once in each operation after
    the extension has answered, and calls again. Each call raises the Fault of an extension that refuses, and then
    leaves the entity, and what is in the key-value store, as it was.
    """

    def __init__(self, *roles: type[Role], crashing: bool = False) -> None:
        self._extension = Extension(roles)
        self._world = begin()
        self._ambient = ambient.of(self._world)
        self._requests: list[Request] = []
        random.seed(0)
        self._calls = 2 if crashing else 1

    def resource(self, kind: str, attributes: Mapping[str, Value] | None = None, mixins: Iterable[str] = ()) -> Entity:
        """A resource that does not exist yet."""
        number = self._world.next()
        identity = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
        return Entity(kind, identity, f"/test/{number}", list(mixins), dict(attributes or {}))

    def link(self, kind: str, source: Entity, target: Entity, attributes: Mapping[str, Value] | None = None) -> Entity:
        """A link that does not exist yet."""
        link = self.resource(kind, attributes)
        link.source, link.target = source.location, target.location
        return link

    def configure(self, key: str, value: str) -> None:
        """Set what the extension finds in its configuration."""
        self._world.config[key] = value

    def serve(self, server: Callable[[Request], Response]) -> None:
        """Play all servers that the extension asks by HTTP; without that each is denied. One that raises a Fault, such
        as Fault.unavailable, is not reached."""

        def ask(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
            request = Request(method, url, headers, body)
            self._requests.append(request)
            answer = server(request)
            return answer.status, answer.headers, answer.body

        self._world.ask = ask

    def requests(self) -> list[Request]:
        """The requests by HTTP since the last time of asking."""
        requests, self._requests = self._requests, []
        return requests

    def set_time(self, moment: datetime) -> None:
        """Set the clocks. They stand still; a moment without a zone is in UTC."""
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.fromtimestamp(0, UTC)
        self._world.time = since // timedelta(microseconds=1) * 1000

    def fail(self, call: Call, message: str | None = None) -> None:
        """Let the next such call of a capability fail with that message."""
        self._world.failures.append((call, message or f"{call} fails"))

    def log(self) -> list[Message]:
        """The messages logged since the last time of asking."""
        messages, self._world.log = self._world.log, []
        return messages

    def store(self, name: str = "") -> dict[str, bytes]:
        """What is in the key-value store."""
        return dict(self._world.stores.get(name, {}))

    def counted(self, counter: str) -> int:
        """What a counter has come to."""
        return self._world.counters.get(counter, 0)

    def gauge(self, gauge: str) -> float | None:
        """What a gauge was set to last."""
        return self._world.gauges.get(gauge)

    def set_usage(self, of: Entity, usage: Usage) -> None:
        """Set what the machine of an entity uses. Without that it has none."""
        self._world.usages[of.location] = (
            usage.cpu_time // timedelta(milliseconds=1),
            usage.memory,
            usage.disk_read,
            usage.disk_written,
            usage.network_received,
            usage.network_sent,
        )

    def set_readings(self, of: Entity, readings: Mapping[str, float]) -> None:
        """Set what is read of the machine of an entity, or of the device that is attached for a link, by the names of
        the contract. Without that it has none."""
        self._world.readings[of.location] = dict(readings)

    def create(self, entity: Entity) -> None:
        """One call for its Kind and one for each of its Mixins. After a fault they are all deleted."""

        def call() -> None:
            made = entity.copy()
            try:
                for role in self._roles(made):
                    made.apply(self._call(made, self._extension.create, role))
            except Fault:
                self._delete(made)
                raise
            entity.become(made)

        self._request(call)

    def update(self, entity: Entity, wanted: Mapping[str, Value]) -> None:
        """The host sets what is wanted, then applies what the extension answers."""

        def call() -> None:
            asked = lower_all(wanted)
            update = self._extension.update
            changes = [
                self._call(entity, lambda operation, role, lent: update(operation, role, lent, asked), role)
                for role in self._roles(entity)
            ]
            entity.attributes.update(wanted)
            for change in changes:
                entity.apply(change)

        self._request(call)

    def associate(self, entity: Entity, mixin: str, attributes: Mapping[str, Value] | None = None) -> None:
        """Add a Mixin, with its attributes."""

        def call() -> None:
            mixed = entity.copy()
            mixed.mixins.append(mixin)
            mixed.attributes.update(attributes or {})
            mixed.apply(self._call(mixed, self._extension.create, mixin))
            entity.become(mixed)

        self._request(call)

    def dissociate(self, entity: Entity, mixin: str) -> None:
        """Take a Mixin off."""

        def call() -> None:
            self._call(entity, self._extension.delete, mixin)
            entity.mixins.remove(mixin)

        self._request(call)

    def delete(self, entity: Entity) -> None:
        self._request(lambda: self._delete(entity))

    def act(self, entity: Entity, action: str, parameters: Mapping[str, Value] | None = None) -> None:
        given = lower_all(parameters or {})
        doing = (role for role in self._roles(entity) if action in self._extension.roles[role].actions)
        act = self._extension.act

        def call() -> None:
            role = next(doing, entity.kind)
            change = self._call(entity, lambda operation, role, lent: act(operation, role, lent, action, given), role)
            entity.apply(change)

        self._request(call)

    def observe(self, entity: Entity, cause: str) -> None:
        """The Kind first, and each sees what those before it have answered."""
        observe = self._extension.observe
        self._ask(entity, lambda role, lent: observe(role, lent, cause))

    def migrate(self, entity: Entity, from_version: str) -> None:
        """In the same order."""
        migrate = self._extension.migrate
        self._ask(entity, lambda role, lent: migrate(from_version, role, lent))

    def _ask(self, entity: Entity, function: Callable[[str, View], Change]) -> None:
        def call() -> None:
            asked = entity.copy()
            for role in self._roles(entity):
                asked.apply(self._lend(asked, partial(function, role)))
            entity.become(asked)

        self._request(call)

    def _roles(self, entity: Entity) -> list[str]:
        """The host calls an extension for its own Kinds and Mixins alone."""
        return [role for role in [entity.kind, *entity.mixins] if role in self._extension.roles]

    def _delete(self, entity: Entity) -> None:
        for role in reversed(self._roles(entity)):
            self._call(entity, self._extension.delete, role)

    def _request(self, call: Callable[[], None]) -> None:
        """What a request that is refused has written to the key-value store is not kept."""
        before = {name: dict(values) for name, values in self._world.stores.items()}
        try:
            call()
        except Fault:
            self._world.stores = before
            raise

    def _call(self, entity: Entity, function: Callable[[str, str, View], T], role: str) -> T:
        """An operation, which has one name however often the host calls."""
        operation = f"operation-{self._world.next()}"
        for _ in range(self._calls - 1):
            self._lend(entity, lambda lent: function(operation, role, lent))
        return self._lend(entity, lambda lent: function(operation, role, lent))

    def _lend(self, entity: Entity, call: Callable[[View], T]) -> T:
        self._world.ends = {End.SUBJECT: entity.location, End.SOURCE: entity.source, End.TARGET: entity.target}
        with entity.lent() as view, ambient.placed(self._ambient):
            try:
                return call(view)
            except Err as refused:
                fault = refused.value
                raise Fault(fault.code, fault.message, fault.attribute) from refused
