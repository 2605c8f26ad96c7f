"""Records as entities, in a host in memory."""

import unittest

from occi_extension import Fault, Value
from occi_extension.testing import Entity, Host, Message

from dns.record import LINE, NAME, TTL, TYPE, VALUE, ZONE
from extension import DnsRecord

KIND = "http://example.com/occi/dns#dns-record"


class RecordTest(unittest.TestCase):
    def setUp(self) -> None:
        self.host = Host(DnsRecord)

    def create(self, name: str, type: str, value: str, **others: Value) -> Entity:
        given: dict[str, Value] = {ZONE: "example.com", NAME: name, TYPE: type, VALUE: value, TTL: 3600}
        record = self.host.resource(KIND, given | {f"com.example.dns.{term}": other for term, other in others.items()})
        self.host.create(record)
        return record

    def assert_refused(self, code: str, attribute: str | None, name: str, type: str, value: str) -> None:
        before = self.host.store()
        with self.assertRaises(Fault) as refused:
            self.create(name, type, value)
        self.assertEqual((refused.exception.code, refused.exception.attribute), (code, attribute))
        self.assertEqual(self.host.store(), before)

    def test_a_record_shows_its_line(self) -> None:
        record = self.create("www", "A", "192.0.2.1", ttl=0)
        self.assertEqual(record.attributes[LINE], "www.example.com. 0 IN A 192.0.2.1")
        self.assertEqual(self.host.log(), [Message("info", f"{record.location}: {record.attributes[LINE]}")])
        self.host.update(record, {TYPE: "AAAA", VALUE: "2001:DB8::1"})
        self.assertEqual(record.attributes[LINE], "www.example.com. 0 IN AAAA 2001:db8::1")

    def test_what_is_no_record_is_refused_with_what_to_change(self) -> None:
        self.assert_refused("invalid", NAME, "www.", "A", "192.0.2.1")
        self.assert_refused("invalid", VALUE, "www", "A", "2001:db8::1")
        self.assert_refused("invalid", NAME, "@", "CNAME", "www.example.com")
        self.assert_refused("invalid", VALUE, "www", "CNAME", "WWW.example.com")
        with self.assertRaises(Fault) as refused:
            self.create("www", "A", "192.0.2.1", zone="example..com")
        self.assertEqual(refused.exception.attribute, ZONE)

    def test_an_alias_stands_alone(self) -> None:
        alias = self.create("www", "CNAME", "web.example.com")
        self.assert_refused("conflict", TYPE, "WWW", "A", "192.0.2.1")
        self.assert_refused("conflict", TYPE, "www", "CNAME", "other.example.com")
        address = self.create("web", "A", "192.0.2.1")
        self.assert_refused("conflict", TYPE, "web", "CNAME", "www.example.com")
        # One that becomes something else makes room, and so does one that goes.
        self.host.update(alias, {TYPE: "A", VALUE: "192.0.2.2"})
        self.create("www", "A", "192.0.2.3")
        self.host.delete(address)
        self.create("web", "CNAME", "www.example.com")

    def test_no_record_is_there_twice(self) -> None:
        self.create("www", "AAAA", "2001:db8::1")
        self.assert_refused("conflict", VALUE, "WWW", "AAAA", "2001:DB8:0::1")
        other = self.create("www", "AAAA", "2001:db8::2")
        with self.assertRaises(Fault):
            self.host.update(other, {VALUE: "2001:db8::1"})
        self.assertEqual(other.attributes[LINE], "www.example.com. 3600 IN AAAA 2001:db8::2")
        # The same as it is, and the same in another zone.
        self.host.update(other, {VALUE: "2001:db8::2", TTL: 60})
        self.create("www", "AAAA", "2001:db8::1", zone="example.net")

    def test_who_takes_no_mail_takes_none(self) -> None:
        self.create("@", "MX", "10 mail.example.com")
        self.create("@", "MX", "20 mail.example.net")
        self.assert_refused("conflict", VALUE, "@", "MX", "0 .")
        self.create("void", "MX", "0 .")
        self.assert_refused("conflict", VALUE, "void", "MX", "10 mail.example.com")

    def test_what_is_renamed_or_gone_leaves_nothing(self) -> None:
        record = self.create("www", "TXT", "hello")
        self.host.update(record, {NAME: "web"})
        self.create("www", "CNAME", "web.example.com")
        self.host.delete(record)
        self.assertEqual(len(self.host.store()), 2)

    def test_after_a_crash_a_record_is_not_in_its_own_way(self) -> None:
        self.host = Host(DnsRecord, crashing=True)
        record = self.create("www", "CNAME", "web.example.com")
        self.host.update(record, {VALUE: "other.example.com"})
        self.host.delete(record)
        self.assertEqual(self.host.store(), {})

    def test_a_store_that_fails_is_a_record_that_is_not_there(self) -> None:
        for call in ("keyvalue.open", "keyvalue.get", "keyvalue.set"):
            self.host.fail(call, "the disk is full")
            self.assert_refused("failed", None, "www", "A", "192.0.2.1")
