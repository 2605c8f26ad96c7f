"""Attributes that come with a call."""

from __future__ import annotations

from collections.abc import Iterable

from .contract import types
from .values import Reader


class Attributes(Reader):
    """The parameters of an action, or the attributes that a client wants to change."""

    def __init__(self, attributes: Iterable[types.Attribute]) -> None:
        self._values = {attribute.name: attribute.value for attribute in attributes}

    @property
    def names(self) -> list[str]:
        return list(self._values)

    def over(self, shown: Reader) -> Reader:
        """What the entity will show after an update: these attributes over those that it shows."""
        return _Updated(self, shown)

    def _get(self, name: str) -> types.Value | None:
        return self._values.get(name)


class _Updated(Reader):
    def __init__(self, wanted: Reader, shown: Reader) -> None:
        self._wanted = wanted
        self._shown = shown

    def _get(self, name: str) -> types.Value | None:
        wanted = self._wanted._get(name)
        return self._shown._get(name) if wanted is None else wanted
