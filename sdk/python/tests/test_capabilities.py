import unittest
from collections.abc import Callable
from datetime import timedelta
from typing import get_args

from occi_extension import Change, End, Kind, Subject, config, keyvalue, kind, log, metrics
from occi_extension.testing import Call, Host, Message, Usage
from occi_extension.volumes import Volume

from .hosted import fault_of, hosted


class CapabilitiesTest(unittest.TestCase):
    def test_keys_are_written_read_listed_and_deleted(self) -> None:
        seen: list[object] = []

        def create(subject: Subject) -> None:
            store = keyvalue.open("things")
            for key in "ebdac":
                store.set_text(key, f"{key} ä")
            del store["b"]
            store.pop("b", None)
            seen.extend([list(store), store.get_text("d"), store.get("b"), "b" in store, "a" in store])
            seen.append(len(keyvalue.open()))
            with self.assertRaises(KeyError):
                del store["b"]

        host, call = hosted(create)
        call()
        self.assertEqual(seen, [["a", "c", "d", "e"], "d ä", None, False, True, 0])
        self.assertEqual(host.store("things")["e"], "e ä".encode())

    def test_what_the_host_refuses_is_a_fault(self) -> None:
        calls: dict[str, Callable[[], object]] = {
            "config.get": lambda: config.get("a"),
            "config.all": config.all,
            "keyvalue.open": keyvalue.open,
            "keyvalue.get": lambda: keyvalue.open().get("a"),
            "keyvalue.set": lambda: keyvalue.open().set_text("a", "b"),
            "keyvalue.delete": lambda: keyvalue.open().pop("a"),
            "keyvalue.exists": lambda: "a" in keyvalue.open(),
            "keyvalue.keys": lambda: list(keyvalue.open()),
            "metrics.count": lambda: metrics.count("a"),
            "metrics.gauge": lambda: metrics.gauge("a", 1),
            "metrics.usage": lambda: metrics.usage(End.SUBJECT),
            "metrics.readings": lambda: metrics.readings(End.SUBJECT),
        }
        self.assertEqual(list(calls), list(get_args(Call)))
        for failing in get_args(Call):

            def create(subject: Subject, failing: str = failing) -> None:
                keyvalue.open().set_text("a", "b")
                calls[failing]()

            host, call = hosted(create)
            with self.subTest(failing=failing):
                host.fail(failing, "the disk is full")
                fault = fault_of(call)
                self.assertEqual((fault.code, fault.message), ("failed", "the disk is full"))
                self.assertEqual(host.store(), {}, "what a refused call has written is not kept")
                if failing in ("metrics.usage", "metrics.readings"):
                    self.assertEqual(fault_of(call).code, "missing")
                else:
                    call()
        self.assertEqual(fault_of(hosted(lambda subject: keyvalue.open("no/such"))[1]).code, "missing")
        self.assertEqual(fault_of(hosted(lambda subject: Volume.open(End.SUBJECT))[1]).code, "unsupported")

    def test_what_the_operator_has_set_and_reads(self) -> None:
        host, call = hosted(
            lambda subject: log.warning(f"{config.get('greeting')} {config.get('none')} {config.all()}")
        )
        host.configure("greeting", "hello")
        call()
        self.assertEqual(host.log(), [Message("warn", "hello None {'greeting': 'hello'}")])
        self.assertEqual(host.log(), [])

    def test_what_is_counted_and_what_machines_use(self) -> None:
        seen: list[Usage] = []

        @kind("k")
        class Meter(Kind):
            def create(self, subject: Subject) -> Change | None:
                metrics.count("made")
                metrics.count("made", 2)
                metrics.gauge("last", -0.5)
                seen.extend(metrics.usage(end) for end in (End.SOURCE, End.TARGET))
                return None

            def delete(self, subject: Subject) -> None:
                metrics.gauge("last", float("inf"))

        host = Host(Meter)
        one, other = host.resource("machine"), host.resource("machine")
        used = [Usage(timedelta(seconds=1.5), 1 << 20, 1, 2, 3, 4), Usage(memory=5)]
        for machine, usage in zip((one, other), used, strict=True):
            host.set_usage(machine, usage)
        self.assertEqual((host.counted("made"), host.gauge("last")), (0, None))
        host.create(host.link("k", one, other))
        self.assertEqual((host.counted("made"), host.gauge("last"), seen), (3, -0.5, used))
        self.assertEqual(fault_of(lambda: host.delete(host.link("k", one, other))).code, "invalid")

    def test_what_is_read_of_machines_and_devices(self) -> None:
        seen: list[dict[str, float]] = []

        @kind("k")
        class Meter(Kind):
            def create(self, subject: Subject) -> Change | None:
                seen.extend(metrics.readings(end) for end in (End.SUBJECT, End.SOURCE))
                metrics.readings(End.TARGET)
                return None

        host = Host(Meter)
        machine = host.resource("machine")
        link = host.link("k", machine, host.resource("volume"))
        host.set_readings(machine, {"cpu_seconds_total": 1.5, "vcpus": 2})
        host.set_readings(link, {"disk_reads_total": 3})
        self.assertEqual(fault_of(lambda: host.create(link)).code, "missing")
        self.assertEqual(seen, [{"disk_reads_total": 3}, {"cpu_seconds_total": 1.5, "vcpus": 2}])
