"""An entity as a test sees it, and as the extension does while it is called."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..in_memory import types
from ..values import Value, lift, lower, lower_all


@dataclass
class Entity:
    """An entity, as clients see it."""

    kind: str
    id: str
    location: str
    mixins: list[str] = field(default_factory=list)
    attributes: dict[str, Value] = field(default_factory=dict)
    state: str | None = None
    message: str | None = None
    source: str | None = None
    target: str | None = None
    #: Whether it comes to be in the operation of the call.
    is_new: bool = False
    #: The time after which the last change asked to be observed again.
    again: timedelta | None = None

    def copy(self) -> Entity:
        return copy.deepcopy(self)

    def become(self, other: Entity) -> None:
        vars(self).update(vars(other))

    def apply(self, change: types.Change) -> None:
        """What holds when a change of the extension is committed."""
        self.attributes.update({each.name: lift(each.value) for each in change.set})
        for name in change.clear:
            self.attributes.pop(name, None)
        self.state = self.state if change.state is None else change.state
        self.message = self.message if change.message is None else change.message
        self.again = None if change.again is None else timedelta(milliseconds=change.again)

    @contextmanager
    def lent(self) -> Iterator[View]:
        """The host's view of it, lent for one call."""
        view = View(self)
        try:
            yield view
        finally:
            view.end()


class View:
    def __init__(self, entity: Entity) -> None:
        self._entity: Entity | None = entity

    def end(self) -> None:
        self._entity = None

    def id(self) -> str:
        return self._shown().id

    def location(self) -> str:
        return self._shown().location

    def kind(self) -> str:
        return self._shown().kind

    def mixins(self) -> list[str]:
        return list(self._shown().mixins)

    def state(self) -> str | None:
        return self._shown().state

    def get(self, name: str) -> types.Value | None:
        attributes: dict[str, Any] = self._shown().attributes
        return lower(name, attributes[name]) if name in attributes else None

    def attributes(self) -> list[types.Attribute]:
        return lower_all(self._shown().attributes)

    def is_new(self) -> bool:
        return self._shown().is_new

    def source(self) -> str | None:
        return self._shown().source

    def target(self) -> str | None:
        return self._shown().target

    def _shown(self) -> Entity:
        if self._entity is None:
            raise RuntimeError("the subject is kept after the end of the call that it was lent for")
        return self._entity
