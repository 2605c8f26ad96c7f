"""Machines, volumes, networks, images, other entities and the folder: the host in memory has none."""

from typing import Any, Never

from ..fault import Fault


class Absent:
    def __init__(self) -> None:
        self.open(None)

    @classmethod
    def open(cls, *_given: Any) -> Never:
        raise Fault.unsupported(
            "the host in memory has no machines, volumes, networks, images, other entities and folder"
        )

    create = define = members = links_from = links_to = open
