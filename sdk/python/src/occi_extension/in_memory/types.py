"""The types of wit/types.wit, as the bindings of a component have them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


class Err(Exception):
    """What the functions of a component raise where the contract has the error of a result."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


@dataclass
class Value_Text:
    value: str


@dataclass
class Value_Integer:
    value: int


@dataclass
class Value_Number:
    value: float


@dataclass
class Value_Boolean:
    value: bool


@dataclass
class Value_Structured:
    value: str


Value: TypeAlias = Value_Text | Value_Integer | Value_Number | Value_Boolean | Value_Structured


@dataclass
class Attribute:
    name: str
    value: Value


@dataclass
class Fault:
    code: str
    message: str
    attribute: str | None


class End(enum.Enum):
    """The entity that a call is about or, where that is a link, one of its ends."""

    SUBJECT = 0
    SOURCE = 1
    TARGET = 2


class Entity(Protocol):
    def id(self) -> str: ...
    def location(self) -> str: ...
    def kind(self) -> str: ...
    def mixins(self) -> list[str]: ...
    def state(self) -> str | None: ...
    def get(self, name: str) -> Value | None: ...
    def attributes(self) -> list[Attribute]: ...
    def is_new(self) -> bool: ...
    def source(self) -> str | None: ...
    def target(self) -> str | None: ...


@dataclass
class Change:
    set: list[Attribute]
    clear: list[str]
    state: str | None
    message: str | None
    again: int | None
