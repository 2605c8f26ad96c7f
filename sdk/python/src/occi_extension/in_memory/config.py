from dataclasses import dataclass

from . import world


@dataclass
class Error_Io:
    value: str


def get(key: str) -> str | None:
    world.current().call("config.get", Error_Io)
    return world.current().config.get(key)


def get_all() -> list[tuple[str, str]]:
    world.current().call("config.all", Error_Io)
    return list(world.current().config.items())
