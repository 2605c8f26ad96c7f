from . import world


def send(method: str, url: str, headers: dict[str, str], body: bytes) -> world.Answer:
    return world.current().ask(method, url, headers, body)
