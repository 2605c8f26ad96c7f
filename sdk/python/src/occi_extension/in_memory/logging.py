import enum

from . import world


class Level(enum.Enum):
    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    CRITICAL = 5


def log(level: Level, context: str, message: str) -> None:
    world.current().log.append(world.Message(level.name.lower(), message))
