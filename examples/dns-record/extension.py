"""What the host calls."""

from occi_extension import Attributes, Change, Kind, Subject, keyvalue, kind, log

from dns.neighbours import enter, leave
from dns.record import LINE, Record, record


@kind("http://example.com/occi/dns#dns-record")
class DnsRecord(Kind):
    def create(self, subject: Subject) -> Change:
        return self._entered(subject, record(subject))

    def update(self, subject: Subject, wanted: Attributes) -> Change:
        return self._entered(subject, record(wanted.over(subject)))

    def delete(self, subject: Subject) -> None:
        leave(keyvalue.open(), subject.id)

    def _entered(self, subject: Subject, wanted: Record) -> Change:
        enter(keyvalue.open(), subject.id, wanted)
        log.info(f"{subject.location}: {wanted.line}")
        return Change().set(LINE, wanted.line)
