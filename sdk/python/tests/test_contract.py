"""What is written by hand here and stands in wit/ is the same."""

import ast
import re
import unittest
from pathlib import Path

from occi_extension.build.world import CAPABILITIES, CONTRACT, INTERFACES, NAMES, REAL_NAMES, interfaces, world
from occi_extension.calls import Extension
from occi_extension.in_memory import config, keyvalue, logging, metrics, types

PACKAGE = Path(__file__).parents[1] / "src/occi_extension"


def wit(name: str) -> str:
    return (CONTRACT / f"{name}.wit").read_text()


def found(pattern: str, text: str) -> list[str]:
    return [name.replace("-", "_") for name in re.findall(pattern, text, re.MULTILINE)]


class ContractTest(unittest.TestCase):
    def test_all_that_the_host_can_call_is_exported(self) -> None:
        self.assertEqual(set(found(r"export ([a-z]+);", wit("world"))), set(INTERFACES))
        for interface in INTERFACES:
            for function in found(r"^ +([a-z-]+): func", wit(interface)):
                self.assertTrue(callable(getattr(Extension, function)), function)

    def test_the_definitions_have_every_function_of_the_capabilities(self) -> None:
        for name in ("entities", "folder", "images", "machines", "volumes", "networks"):
            body = ast.parse((PACKAGE / f"{name}.pyi").read_text()).body
            within = [each.body if isinstance(each, ast.ClassDef) else [each] for each in body]
            functions = [each for some in within for each in some if isinstance(each, ast.FunctionDef)]
            named = [each.name for each in functions if each.name != "__init__"]
            self.assertEqual(named, found(r"^ +([a-z-]+): (?:static )?func", wit(name)), name)

    def test_what_stands_in_for_bindings_has_their_names(self) -> None:
        text = wit("types")
        for record in found(r"^    record ([a-z-]+)", text):
            fields = re.search(rf"record {record} {{(.*?)}}", text, re.DOTALL)
            assert fields is not None
            ours = getattr(types, record.capitalize()).__dataclass_fields__
            self.assertEqual(list(ours), found(r"^ +([a-z-]+):", fields[1]), record)
        for function in found(r"^ {8}([a-z-]+): func", text):
            self.assertTrue(hasattr(types.Entity, function), function)
        for module, name in [(config, "config/store"), (keyvalue, "keyvalue/store"), (logging, "logging/logging")]:
            text = (CONTRACT / f"deps/wasi-{name}.wit").read_text()
            for function in found(r"^    ([a-z-]+): func", text):
                self.assertTrue(callable(getattr(module, function)), function)
        for function in found(r"^ {8}([a-z-]+): func", (CONTRACT / "deps/wasi-keyvalue/store.wit").read_text()):
            self.assertTrue(callable(getattr(keyvalue.Bucket, function)), function)

        for function in found(r"^    ([a-z-]+): func", wit("metrics")):
            self.assertTrue(callable(getattr(metrics, function)), function)
        for function in found(r"^ {8}([a-z-]+): (?:static )?func", wit("metrics")):
            self.assertTrue(callable(getattr(metrics.Usage, function)), function)

    def test_the_contract_has_the_version_that_is_built_for(self) -> None:
        versions = set(re.findall(r"^package occi:extension@([0-9.]+);", wit("types"), re.MULTILINE))
        named = re.findall(r"occi:extension/[a-z]+@([0-9.]+)", world(CAPABILITIES, INTERFACES))
        self.assertEqual(set(named), versions)
        for interface in interfaces(CAPABILITIES):
            if interface.startswith("wasi:"):
                self.assertIn(f"import {interface};", wit("world"))

    def test_each_package_and_interface_that_is_named_is_there(self) -> None:
        text = "".join(file.read_text() for file in (CONTRACT / "deps").rglob("*.wit"))
        packages = re.findall(r"^package (wasi:[a-z]+)@", text, re.MULTILINE)
        self.assertEqual({f"{package}/" for package in packages}, set(REAL_NAMES.values()))
        for name in NAMES:
            package, interface, version = re.split("[/@]", name)
            self.assertIn(f"package {package}@{version};", text + wit("types"))
            self.assertRegex(text + wit("types"), rf"(?m)^interface {interface} ")
