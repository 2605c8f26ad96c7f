import unittest
from collections.abc import Callable
from typing import get_args

from occi_extension import End, Subject, config, keyvalue, log
from occi_extension.testing import Call, Message
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
