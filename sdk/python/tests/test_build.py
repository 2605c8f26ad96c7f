import tempfile
import textwrap
import unittest
from pathlib import Path

from occi_extension.build.inspection import BuildError, compare, inspect
from occi_extension.build.section import with_manifest, with_real_names
from occi_extension.build.world import world, write_world

LAMP = "http://example.com/occi/home#lamp"

MANIFEST = """
[capabilities.logging]
[capabilities.volumes]
[[kind]]
scheme = "http://example.com/occi/home#"
term = "lamp"
[[kind.action]]
term = "switch"
"""

SWITCHED = """
from occi_extension import Kind, action, kind, log
from occi_extension.volumes import Volume
import beside

@kind(beside.LAMP)
class Lamp(Kind):
    @action("switch")
    def switch(self, subject, parameters):
        log.info("switched")
"""


class BuildTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def write(self, **modules: str) -> None:
        for name, text in modules.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))

    def test_what_is_imported_is_needed_and_nothing_else(self) -> None:
        self.write(extension=SWITCHED, beside=f'LAMP = "{LAMP}"')
        found = inspect(self.folder, MANIFEST)
        self.assertEqual((found.exports, found.capabilities), (["actions"], ["logging", "volumes"]))
        self.assertEqual(found.sources, [self.folder / "beside.py", self.folder / "extension.py"])
        text = world(found.capabilities, found.exports)
        self.assertIn("import occi:extension/volumes@0.1.0;", text)
        self.assertIn("export occi:extension/actions@0.1.0;", text)

    def test_what_python_itself_stands_upon_is_what_the_manifest_asks_for(self) -> None:
        self.write(extension=SWITCHED, beside=f'LAMP = "{LAMP}"')
        asked = inspect(self.folder, f"[capabilities.random]\n[capabilities.clocks]\n{MANIFEST}")
        self.assertEqual(asked.capabilities, ["clocks", "logging", "random", "volumes"])
        self.assertIn("import occi:random/random@0.2.12;", world(asked.capabilities, asked.exports))

    def test_what_is_no_extension_is_refused(self) -> None:
        def refused(reason: str, manifest: str = "") -> None:
            with self.assertRaisesRegex(BuildError, reason):
                inspect(self.folder, manifest)

        refused("has no extension.py")
        self.write(extension="1 / 0")
        refused("ZeroDivisionError")
        self.write(extension="")
        refused("has no handlers")
        refused("manifest.toml: ", manifest="[")
        self.write(extension=SWITCHED, beside=f'LAMP = "{LAMP}"')
        refused("defines no such Kind")
        refused(r"add \[capabilities.volumes\]", MANIFEST.replace("[capabilities.volumes]", ""))

    def test_the_code_and_the_manifest_say_the_same(self) -> None:
        manifest = {LAMP: ["switch"], "other": []}
        self.assertEqual(compare({LAMP: ["switch"]}, manifest), [])
        self.assertRegex("".join(compare({LAMP: ["switch", "dim"]}, manifest)), "'dim' of .* does not define it")
        self.assertRegex("".join(compare({LAMP: []}, manifest)), "'switch' of .*the code has no handler")
        self.assertRegex("".join(compare({}, manifest)), "the code has no handler")
        self.assertRegex("".join(compare({LAMP: ["switch"], "lmap": []}, manifest)), "handlers for lmap")

    def test_a_world_stands_on_the_whole_contract(self) -> None:
        wit = self.folder / "wit"
        write_world(wit, [], ["lifecycle"])
        self.assertEqual(
            sorted(each.name for each in (wit / "deps").iterdir()),
            [
                "occi-extension",
                *(f"wasi-{name}" for name in ("clocks", "config", "http", "io", "keyvalue", "logging", "random")),
            ],
        )
        self.assertIn("package occi:extension@", (wit / "deps/occi-extension/types.wit").read_text())

    def test_clocks_are_imported_by_whoever_asks_for_them(self) -> None:
        for capabilities, functions in [(["http"], 0), (["clocks", "http"], 4)]:
            wit = self.folder / str(functions)
            write_world(wit, capabilities, ["lifecycle"])
            clock = (wit / "deps/wasi-clocks/monotonic-clock.wit").read_text()
            self.assertEqual((clock.count(": func("), clock.count("type duration")), (functions, 1))

    def test_the_manifest_is_the_last_section_of_the_component(self) -> None:
        component = b"\0asm\x0d\0\x01\0"
        made = with_manifest(component, "ä" * 100)
        # 1 + 13 + 200 bytes are 0b1_1010110: 0xd6 0x01.
        self.assertEqual(made[:12], component + bytes([0, 0xD6, 0x01, 13]))
        self.assertEqual(made[12:].decode(), f"occi:manifest{'ä' * 100}")

    def test_imports_have_their_real_names_and_nothing_else_changes(self) -> None:
        names = {"occi:logging/logging@1": "wasi:logging/logging@1"}
        built, real = (name.encode() for pair in names.items() for name in pair)
        head, padding = b"\0asm\x0d\0\x01\0", b"\0" * 200

        def component(imported: bytes) -> bytes:
            # A custom section, one of imports that is longer than 127 bytes, and another custom section.
            content = padding + imported
            size = bytes([len(content) & 0x7F | 0x80, len(content) >> 7])
            return head + bytes([0, len(built)]) + built + bytes([10]) + size + content + bytes([0, 1, 0])

        self.assertEqual(with_real_names(component(built), names), component(real))
        with self.assertRaises(ValueError):
            with_real_names(component(built), {"occi:a": "wasi:ab"})
