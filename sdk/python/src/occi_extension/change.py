"""What an extension proposes."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from .contract import types
from .values import Value, lower

_MILLISECOND = timedelta(milliseconds=1)


class Change:
    """The host checks it against the manifest and commits it, or refuses it whole.

    Each method answers the change itself, so that they can be chained.
    """

    def __init__(self) -> None:
        self._set: dict[str, types.Value] = {}
        self._clear: dict[str, None] = {}
        self._state: str | None = None
        self._message: str | None = None
        self._again: int | None = None

    def set(self, name: str, value: Value) -> Self:
        """Set an attribute; one that clients may not change, too. The last word on an attribute holds."""
        self._set[name] = lower(name, value)
        self._clear.pop(name, None)
        return self

    def clear(self, name: str) -> Self:
        """Take an attribute away."""
        self._set.pop(name, None)
        self._clear[name] = None
        return self

    def state(self, name: str) -> Self:
        """Enter a state, one of those in the manifest."""
        self._state = name
        return self

    def message(self, text: str) -> Self:
        """Say why the entity is in its state. An empty text takes the message away."""
        self._message = text
        return self

    def again(self, after: timedelta) -> Self:
        """Be observed again after that time, with the cause 'timer'; after a second at the soonest.

        The host keeps one time for each entity: of several the earlier. It outlives the host's process: one whose time
        passes meanwhile is called soon after the next start.
        """
        if after < timedelta(0):
            raise ValueError(f"{after} is no time to wait")
        self._again = -(-after // _MILLISECOND)
        return self

    def lower(self) -> types.Change:
        """As the contract has it."""
        return types.Change(
            set=[types.Attribute(name, value) for name, value in self._set.items()],
            clear=list(self._clear),
            state=self._state,
            message=self._message,
            again=self._again,
        )
