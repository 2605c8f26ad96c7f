"""What the host calls."""

from occi_extension import Attributes, Change, Fault, Kind, Subject, keyvalue, kind, log

from dns.neighbours import enter, leave, set_of
from dns.record import LINE, NAME, TYPE, ZONE, Record, record
from dns.server import of_operator


@kind("http://example.com/occi/dns#dns-record")
class DnsRecord(Kind):
    def create(self, subject: Subject) -> Change:
        return self._entered(subject, record(subject))

    def update(self, subject: Subject, wanted: Attributes) -> Change:
        new = record(wanted.over(subject))
        if of_operator():
            _check_place(record(subject), new)
        return self._entered(subject, new)

    def delete(self, subject: Subject) -> None:
        leave(keyvalue.open(), subject.id)
        try:
            gone = record(subject)
        except Fault:
            return  # It was refused as none, and never sent.
        try:
            _send(gone)
        except Fault as fault:
            # A zone that is not there has no records.
            if fault.code != "missing":
                raise

    def observe(self, subject: Subject, cause: str) -> Change:
        """The host may have ended within a change that the server has, and that nobody was told of."""
        _send(record(subject))
        return Change()

    def _entered(self, subject: Subject, wanted: Record) -> Change:
        enter(keyvalue.open(), subject.id, wanted)
        _send(wanted)
        log.info(f"{subject.location}: {wanted.line}")
        return Change().set(LINE, wanted.line)


def _send(one: Record) -> None:
    """The set of a record as the store has it."""
    server = of_operator()
    if server:
        server.replace(set_of(keyvalue.open(), one))


def _check_place(old: Record, new: Record) -> None:
    """A record stays in its set, so that what is done to it is one change at the server, and can be done again."""
    for attribute, before, after in [
        (ZONE, old.zone, new.zone),
        (NAME, old.owner, new.owner),
        (TYPE, old.type, new.type),
    ]:
        if before != after:
            raise Fault.unsupported("it stays what it is while a server has it; make another, and delete it", attribute)
