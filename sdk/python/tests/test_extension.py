import unittest
from datetime import timedelta

from occi_extension import Attributes, Change, Fault, Kind, Mixin, Subject, action, kind, mixin
from occi_extension.contract import Err, types
from occi_extension.testing import Host

from .hosted import KIND, fault_of, hosted

DIMMED = "http://example.com/occi/home#dimmed"
WATTS = "com.example.lamp.watts"


class ExtensionTest(unittest.TestCase):
    def test_what_handlers_need_is_exported_and_nothing_else(self) -> None:
        class Nothing(Kind):
            pass

        class Deleted(Kind):
            def delete(self, subject: Subject) -> None: ...

        class Switched(Kind):
            @action("switch")
            def turn(self, subject: Subject, parameters: Attributes) -> None: ...

        class All(Deleted, Switched):
            def observe(self, subject: Subject, cause: str) -> None: ...
            def migrate(self, subject: Subject, from_version: str) -> None: ...

        self.assertEqual(Nothing.interfaces(), set())
        self.assertEqual(Deleted.interfaces(), {"lifecycle"})
        self.assertEqual((Switched.interfaces(), list(Switched.actions)), ({"actions"}, ["switch"]))
        self.assertEqual(All.interfaces(), {"lifecycle", "actions", "observe", "migrate"})

    def test_the_life_of_an_entity_with_a_mixin(self) -> None:
        seen: list[str] = []

        class Life:
            def create(self, subject: Subject) -> None:
                seen.append(f"create {subject.role == subject.kind}")

            def update(self, subject: Subject, wanted: Attributes) -> None:
                seen.append(f"update {subject.role[-4:]} {wanted.names} {wanted.over(subject).integer(WATTS)}")

            def delete(self, subject: Subject) -> None:
                seen.append(f"delete {subject.role[-4:]}")

            def observe(self, subject: Subject, cause: str) -> None:
                seen.append(f"observe {subject.role[-4:]} {cause} '{subject.operation}'")

            def migrate(self, subject: Subject, from_version: str) -> None:
                seen.append(f"migrate {subject.role[-4:]} {from_version}")

        @kind(KIND)
        class Lamp(Life, Kind):
            pass

        @mixin(DIMMED)
        class Dimmed(Life, Mixin):
            pass

        host = Host(Lamp, Dimmed)
        lamp = host.resource(KIND, {WATTS: 5}, ["http://example.com/other#tag"])
        host.create(lamp)
        host.associate(lamp, DIMMED)
        host.update(lamp, {"colour": "red"})
        host.observe(lamp, "timer")
        host.migrate(lamp, "0.0.9")
        host.dissociate(lamp, DIMMED)
        host.delete(lamp)
        self.assertEqual(
            seen,
            [
                "create True",
                "create False",
                "update lamp ['colour'] 5",
                "update mmed ['colour'] 5",
                "observe lamp timer ''",
                "observe mmed timer ''",
                "migrate lamp 0.0.9",
                "migrate mmed 0.0.9",
                "delete mmed",
                "delete lamp",
            ],
        )

    def test_a_change_is_applied(self) -> None:
        @kind(KIND)
        class Lamp(Kind):
            def create(self, subject: Subject) -> Change:
                return Change().set(WATTS, 5).state("off").message("new").again(timedelta(seconds=1.5))

            @action("switch")
            def switch(self, subject: Subject, parameters: Attributes) -> Change:
                return Change().clear(WATTS).state(parameters.text("to") or "")

        host = Host(Lamp)
        lamp = host.resource(KIND)
        host.create(lamp)
        self.assertEqual((lamp.attributes, lamp.state, lamp.message), ({WATTS: 5}, "off", "new"))
        self.assertEqual(lamp.again, timedelta(seconds=1.5))
        host.act(lamp, "switch", {"to": "on"})
        self.assertEqual((lamp.attributes, lamp.state, lamp.again), ({}, "on", None))
        self.assertEqual(fault_of(lambda: host.act(lamp, "sing")).code, "unsupported")

    def test_what_is_refused_leaves_the_entity_as_it_was(self) -> None:
        deleted: list[str] = []

        @kind(KIND)
        class Lamp(Kind):
            def create(self, subject: Subject) -> None:
                raise Fault.invalid("too many", WATTS)

            def delete(self, subject: Subject) -> None:
                deleted.append(subject.id)

        host = Host(Lamp)
        lamp = host.resource(KIND)
        fault = fault_of(lambda: host.create(lamp))
        self.assertEqual((fault.code, fault.message, fault.attribute), ("invalid", "too many", WATTS))
        self.assertEqual(deleted, [lamp.id])

    def test_what_else_is_raised_or_answered_is_a_fault_that_says_where(self) -> None:
        fault = fault_of(hosted(lambda subject: [][0])[1])
        self.assertEqual(
            (fault.code, fault.message), ("failed", f"create of {KIND}: IndexError: list index out of range")
        )
        self.assertIn("which is no Change", fault_of(hosted(lambda subject: "on")[1]).message)

        def refuse(subject: Subject) -> None:
            # As the functions raise it that a component's capabilities are called by.
            raise Err(types.Fault("missing", "no such volume", None))

        fault = fault_of(hosted(refuse)[1])
        self.assertEqual((fault.code, fault.message), ("missing", "no such volume"))

    def test_after_a_crash_a_call_comes_again_with_the_same_operation(self) -> None:
        seen: list[str] = []

        @kind(KIND)
        class Lamp(Kind):
            def create(self, subject: Subject) -> None:
                seen.append(subject.operation)

        host = Host(Lamp, crashing=True)
        host.create(host.resource(KIND))
        host.create(host.resource(KIND))
        self.assertEqual((len(seen), len(set(seen))), (4, 2))

    def test_the_subject_is_lent_for_one_call(self) -> None:
        kept: list[Subject] = []
        hosted(kept.append)[1]()
        with self.assertRaisesRegex(RuntimeError, "kept after the end"):
            _ = kept[0].id
