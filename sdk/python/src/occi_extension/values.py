"""Values of attributes: Python's on one side, the contract's on the other."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from .contract import types

#: The value of an attribute. A list or a dictionary is one of a type 'array' or 'object', as `json` has it.
Value: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any]

_INTEGERS = range(-(2**63), 2**63)


def lower(name: str, value: Value) -> types.Value:
    match value:
        case str():
            return types.Value_Text(value)
        case bool():  # Before int, which it is, too.
            return types.Value_Boolean(value)
        case int() if value in _INTEGERS:
            return types.Value_Integer(value)
        case float() if math.isfinite(value):
            return types.Value_Number(value)
        case list() | dict():
            return types.Value_Structured(json.dumps(value, ensure_ascii=False, allow_nan=False))
        case int() | float():
            raise ValueError(f"{name}: {value} is no 64-bit integer and no finite number")
        case _:
            raise TypeError(f"{name}: {value!r} is no value of an attribute; to take one away, clear it")


def lower_all(values: Mapping[str, Value]) -> list[types.Attribute]:
    return [types.Attribute(name, lower(name, value)) for name, value in values.items()]


def lift(value: types.Value) -> Value:
    if isinstance(value, types.Value_Structured):
        document: Value = json.loads(value.value)
        return document
    return value.value


class Reader:
    """Attributes, read by name with the type that the manifest declares.

    Each read answers None where the attribute is not there, or is of another type: the host has checked the type, so
    that is a slip of the author's.
    """

    def _get(self, name: str) -> types.Value | None:
        raise NotImplementedError

    def __contains__(self, name: str) -> bool:
        return self._get(name) is not None

    def text(self, name: str) -> str | None:
        """An attribute of type 'string'."""
        value = self._get(name)
        return value.value if isinstance(value, types.Value_Text) else None

    def integer(self, name: str) -> int | None:
        """An attribute of type 'integer'."""
        value = self._get(name)
        return value.value if isinstance(value, types.Value_Integer) else None

    def number(self, name: str) -> float | None:
        """An attribute of type 'number'."""
        value = self._get(name)
        return value.value if isinstance(value, types.Value_Number) else None

    def boolean(self, name: str) -> bool | None:
        """An attribute of type 'boolean'."""
        value = self._get(name)
        return value.value if isinstance(value, types.Value_Boolean) else None

    def json(self, name: str) -> Any:
        """An attribute of type 'array' or 'object'."""
        value = self._get(name)
        return lift(value) if isinstance(value, types.Value_Structured) else None
