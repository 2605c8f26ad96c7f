"""Records that a server has, which the test plays."""

import json
import unittest
from typing import Any

from occi_extension import Fault, Value
from occi_extension.testing import Entity, Host, Request, Response

from dns.record import NAME, TTL, TYPE, VALUE, ZONE
from extension import DnsRecord

KIND = "http://example.com/occi/dns#dns-record"


class Zones:
    """A server: the sets of its zones, by name and type."""

    def __init__(self) -> None:
        self.sets: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.fails: Fault | None = None
        self.answers: Response | None = None

    def serve(self, request: Request) -> Response:
        if self.fails:
            raise self.fails
        if self.answers:
            return self.answers
        if not request.url.endswith("/zones/example.com."):
            return Response(404, {}, b'{"error": "Not Found"}')
        for each in request.json()["rrsets"]:
            place = (each["name"], each["type"])
            if each["changetype"] == "DELETE":
                self.sets.pop(place, None)
            else:
                self.sets[place] = (each["ttl"], [record["content"] for record in each["records"]])
        return Response(204)


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.begin()

    def begin(self, crashing: bool = False) -> None:
        self.host, self.zones = Host(DnsRecord, crashing=crashing), Zones()
        self.host.configure("server", "https://dns.example.net:8081/")
        self.host.serve(self.zones.serve)

    def create(self, value: str, **others: Value) -> Entity:
        given: dict[str, Value] = {ZONE: "example.com", NAME: "www", TYPE: "A", VALUE: value, TTL: 3600}
        record = self.host.resource(KIND, given | {f"com.example.dns.{term}": other for term, other in others.items()})
        self.host.create(record)
        return record

    def refused(self, call: Any, *given: Any) -> Fault:
        before = self.host.store()
        with self.assertRaises(Fault) as refused:
            call(*given)
        self.assertEqual(self.host.store(), before)
        return refused.exception

    def test_a_set_is_sent_whole(self) -> None:
        self.create("192.0.2.2")
        self.host.requests()
        self.create("192.0.2.1", ttl=60)
        (request,) = self.host.requests()
        self.assertEqual(request.method, "PATCH")
        self.assertEqual(request.url, "https://dns.example.net:8081/api/v1/servers/localhost/zones/example.com.")
        self.assertEqual(request.headers["x-api-key"], "{{key}}")
        records = [{"content": f"192.0.2.{number}", "disabled": False} for number in (1, 2)]
        changed = {"name": "www.example.com.", "type": "A", "changetype": "REPLACE", "ttl": 60, "records": records}
        self.assertEqual(json.loads(request.body), {"rrsets": [changed]})

    def test_the_server_has_what_is_created_changed_and_deleted_whether_or_not_the_host_crashes(self) -> None:
        for crashing in (False, True):
            self.begin(crashing)
            one, other = self.create("192.0.2.1"), self.create("192.0.2.2")
            text = self.create("hello", type="TXT")
            self.host.update(one, {VALUE: "192.0.2.3", TTL: 60})
            place = ("www.example.com.", "A")
            self.assertEqual(self.zones.sets[place], (60, ["192.0.2.2", "192.0.2.3"]))
            self.host.delete(one)
            self.assertEqual(self.zones.sets[place], (3600, ["192.0.2.2"]))
            self.host.delete(other)
            self.assertEqual(list(self.zones.sets), [("www.example.com.", "TXT")])
            self.host.delete(text)
            self.assertEqual((self.zones.sets, self.host.store()), ({}, {}))

    def test_what_the_server_refuses_is_refused_with_its_reason(self) -> None:
        record = self.create("192.0.2.1")
        for status, body, code in [
            (422, b'{"error": "Conflicts with pre-existing RRset"}', "invalid"),
            (401, b"Unauthorized", "denied"),
            (500, b'{"error": "the database is locked"}', "unavailable"),
            (302, b"", "unavailable"),
        ]:
            with self.subTest(status=status):
                self.zones.answers = Response(status, {}, body)
                fault = self.refused(self.host.update, record, {VALUE: "192.0.2.9"})
                self.assertEqual(fault.code, code)
                reason = json.loads(body)["error"] if body.startswith(b"{") else "it does not say why"
                self.assertEqual(fault.message, f"the zone's server refuses ({status}): {reason}")
        self.zones.answers = None
        fault = self.refused(lambda: self.create("192.0.2.1", zone="example.net"))
        self.assertEqual((fault.code, fault.attribute), ("missing", ZONE))

    def test_a_server_that_is_not_reached_is_unavailable(self) -> None:
        record = self.create("192.0.2.1")
        self.zones.fails = Fault.unavailable("a server cannot be reached")
        for call in (lambda: self.create("192.0.2.2"), lambda: self.host.delete(record)):
            self.assertEqual(self.refused(call).code, "unavailable")
        self.zones.fails = None
        self.host.delete(record)
        self.assertEqual(self.zones.sets, {})

    def test_what_is_gone_is_deleted(self) -> None:
        record = self.create("192.0.2.1")
        self.zones.sets.clear()
        self.host.delete(record)
        record = self.create("192.0.2.1")
        self.zones.answers = Response(404, {}, b'{"error": "Not Found"}')
        self.host.delete(record)
        self.assertEqual(self.host.store(), {})

    def test_what_the_server_will_not_delete_stays(self) -> None:
        record = self.create("192.0.2.1")
        self.zones.answers = Response(422, {}, b'{"error": "no"}')
        self.assertEqual(self.refused(self.host.delete, record).code, "invalid")

    def test_a_record_stays_in_its_set(self) -> None:
        record = self.create("192.0.2.1")
        for wanted in ({NAME: "web"}, {ZONE: "example.org"}, {TYPE: "AAAA", VALUE: "2001:db8::1"}):
            fault = self.refused(self.host.update, record, wanted)
            self.assertEqual((fault.code, fault.attribute), ("unsupported", next(iter(wanted))))
        self.host.update(record, {NAME: "WWW"})

    def test_after_a_crash_within_a_change_the_server_is_told_what_holds(self) -> None:
        record = self.create("192.0.2.1")
        self.zones.sets[("www.example.com.", "A")] = (3600, ["192.0.2.9"])
        self.host.observe(record, "restart")
        self.assertEqual(self.zones.sets, {("www.example.com.", "A"): (3600, ["192.0.2.1"])})

    def test_without_a_server_nobody_is_asked(self) -> None:
        self.host = Host(DnsRecord)
        record = self.create("192.0.2.1")
        self.host.update(record, {NAME: "web"})
        self.host.observe(record, "restart")
        self.host.delete(record)
        self.assertEqual(self.host.requests(), [])
