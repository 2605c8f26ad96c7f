"""The operator's log, with the extension's name on each line: the capability `logging`."""

import sys

if sys.platform == "wasi":
    from wit_world.imports import logging as outside
else:
    from .in_memory import logging as outside


def trace(message: str) -> None:
    outside.log(outside.Level.TRACE, "", message)


def debug(message: str) -> None:
    outside.log(outside.Level.DEBUG, "", message)


def info(message: str) -> None:
    outside.log(outside.Level.INFO, "", message)


def warning(message: str) -> None:
    outside.log(outside.Level.WARN, "", message)


def error(message: str) -> None:
    outside.log(outside.Level.ERROR, "", message)


def critical(message: str) -> None:
    outside.log(outside.Level.CRITICAL, "", message)
