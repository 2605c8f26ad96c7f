"""A host in which one call does what it is given."""

from collections.abc import Callable

from occi_extension import Change, Fault, Kind, Subject, kind
from occi_extension.testing import Host

KIND = "http://example.com/occi/home#lamp"


def hosted(create: Callable[[Subject], object]) -> tuple[Host, Callable[[], None]]:
    @kind(KIND)
    class Lamp(Kind):
        def create(self, subject: Subject) -> Change:
            return create(subject)  # type: ignore[return-value]

    host = Host(Lamp)
    return host, lambda: host.create(host.resource(KIND))


def fault_of(call: Callable[[], object]) -> Fault:
    try:
        call()
    except Fault as fault:
        return fault
    raise AssertionError("there was no fault")
