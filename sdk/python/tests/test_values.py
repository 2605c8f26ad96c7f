import unittest
from datetime import timedelta
from typing import Any

from occi_extension import Change, Subject, Value
from occi_extension.in_memory import types

from .hosted import KIND, hosted


def lowered(value: Any) -> types.Value:
    return Change().set("a", value).lower().set[0].value


class ValuesTest(unittest.TestCase):
    def test_values_as_the_contract_has_them(self) -> None:
        self.assertEqual(lowered("x"), types.Value_Text("x"))
        self.assertEqual(lowered(True), types.Value_Boolean(True))
        self.assertEqual(lowered(2), types.Value_Integer(2))
        self.assertEqual(lowered(-(2**63)), types.Value_Integer(-(2**63)))
        self.assertEqual(lowered(2.0), types.Value_Number(2.0))
        self.assertEqual(lowered([1, {"b": None}]), types.Value_Structured('[1, {"b": null}]'))

    def test_what_is_no_value_is_refused_where_it_is_set(self) -> None:
        for value in [None, float("nan"), float("inf"), 2**63, object(), b"", {1, 2}, [object()], [float("nan")]]:
            with self.subTest(value=value), self.assertRaises((TypeError, ValueError)):
                lowered(value)
        with self.assertRaises(ValueError):
            Change().again(timedelta(seconds=-1))

    def test_the_last_word_on_an_attribute_holds(self) -> None:
        change = Change().set("a", 1).clear("a").clear("b").set("b", 1).set("b", 2).again(timedelta(microseconds=500))
        self.assertEqual(
            change.lower(), types.Change([types.Attribute("b", types.Value_Integer(2))], ["a"], None, None, 1)
        )

    def test_attributes_are_read_with_their_type(self) -> None:
        read: list[object] = []

        def create(subject: Subject) -> None:
            read.extend([subject.text("text"), subject.integer("integer"), subject.number("number")])
            read.extend([subject.boolean("boolean"), subject.json("json")])
            read.extend([subject.text("integer"), subject.number("none"), "boolean" in subject, len(subject.names)])

        host, _ = hosted(create)
        values: dict[str, Value] = {
            "text": "x",
            "integer": 2**53 + 1,
            "number": 2.5,
            "boolean": False,
            "json": {"a": [1]},
        }
        host.create(host.resource(KIND, values))
        self.assertEqual(read, ["x", 2**53 + 1, 2.5, False, {"a": [1]}, None, None, True, 5])
