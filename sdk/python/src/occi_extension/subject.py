"""The entity that a call is about, and the call's own words on it."""

from __future__ import annotations

from .contract import types
from .values import Reader


class Subject(Reader):
    """It is lent for the call.

    `role` is the type identifier (scheme and term) of the Kind or Mixin of this extension that the call speaks to. An
    entity that has several of them is the subject of one call for each.

    `operation` stays the same when the host calls again after a crash: both calls together must then have the effect of
    one. It is empty while observing and migrating, which are no operations of a client.
    """

    def __init__(self, entity: types.Entity, role: str, operation: str) -> None:
        self._entity = entity
        self.role = role
        self.operation = operation

    @property
    def id(self) -> str:
        """The value of `occi.core.id`."""
        return self._entity.id()

    @property
    def location(self) -> str:
        """The path under which clients see it."""
        return self._entity.location()

    @property
    def kind(self) -> str:
        """The type identifier of its Kind."""
        return self._entity.kind()

    @property
    def mixins(self) -> list[str]:
        """The type identifiers of its Mixins, those that they depend on included."""
        return self._entity.mixins()

    @property
    def state(self) -> str | None:
        """The value of the Kind's state attribute, where the manifest names one."""
        return self._entity.state()

    @property
    def is_new(self) -> bool:
        """Whether it comes to be in the operation of the call, with all that it is going to be."""
        return self._entity.is_new()

    @property
    def source(self) -> str | None:
        """The location of a link's source; None on a resource."""
        return self._entity.source()

    @property
    def target(self) -> str | None:
        """The location, or the foreign URI, of a link's target; None on a resource."""
        return self._entity.target()

    @property
    def names(self) -> list[str]:
        """The names of its attributes."""
        return [attribute.name for attribute in self._entity.attributes()]

    def _get(self, name: str) -> types.Value | None:
        return self._entity.get(name)
