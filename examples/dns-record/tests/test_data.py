"""What a value is, and what it is not."""

import unittest

from dns.data import DATA
from dns.names import absolute, relative


class DataTest(unittest.TestCase):
    def test_what_means_the_same_is_written_the_same(self) -> None:
        for type, value, data in [
            ("A", "192.0.2.1", "192.0.2.1"),
            ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("AAAA", "::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("CNAME", "WWW.example.com", "www.example.com."),
            ("CNAME", "_service.example.com.", "_service.example.com."),
            ("MX", "10 mail.example.com", "10 mail.example.com."),
            ("MX", "007  Mail.example.com.", "7 mail.example.com."),
            ("MX", "0 .", "0 ."),
            ("TXT", "", '""'),
            ("TXT", 'v=spf1 -all "x" \\', '"v=spf1 -all \\"x\\" \\\\"'),
            ("TXT", "ä\t", '"\\195\\164\\009"'),
            ("TXT", "x" * 256, f'"{"x" * 255}" "x"'),
        ]:
            with self.subTest(type=type, value=value):
                self.assertEqual(DATA[type](value), data)

    def test_a_value_that_is_none(self) -> None:
        for type, value in [
            *(
                ("A", value)
                for value in ["", "192.0.2", "192.0.2.256", "192.0.02.1", "192.0.2.1/24", "::1", " 192.0.2.1"]
            ),
            *(
                ("AAAA", value)
                for value in ["", "192.0.2.1", "2001:db8:::1", "12345::", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9"]
            ),
            *(
                ("CNAME", value)
                for value in ["", ".", "a..b", "-a.example.com", "a-.example.com", "a b", "ä.example.com"]
            ),
            *(
                ("MX", value)
                for value in ["", "mail.example.com", "10", "65536 a.example.com", "-1 a.example.com", "5 ."]
            ),
            *(("MX", value) for value in ["10 192.0.2.1", "10 _mail.example.com", "10 a b", "1e1 a.example.com"]),
        ]:
            with self.subTest(type=type, value=value), self.assertRaises(ValueError):
                DATA[type](value)


class NameTest(unittest.TestCase):
    def test_a_name_is_within_its_zone(self) -> None:
        for name, full in [
            ("@", "example.com"),
            ("WWW", "www.example.com"),
            ("a.b", "a.b.example.com"),
            ("*", "*.example.com"),
            ("*.a", "*.a.example.com"),
            ("_dmarc", "_dmarc.example.com"),
        ]:
            with self.subTest(name=name):
                self.assertEqual(relative(name, "example.com"), full)
        for name in ["", "www.", "a.*", "*a", "**", "*.", "*.*", "-", "a" * 64, "."]:
            with self.subTest(name=name), self.assertRaises(ValueError):
                relative(name, "example.com")

    def test_a_name_has_253_characters_at_most(self) -> None:
        label = "a" * 63
        zone = ".".join([label, label, label])
        self.assertEqual(len(absolute(f"{zone}.{'b' * 61}.")), 253)
        self.assertEqual(len(relative("b" * 61, zone)), 253)
        with self.assertRaisesRegex(ValueError, "254 characters"):
            absolute(f"{zone}.{'b' * 62}")
        with self.assertRaisesRegex(ValueError, "254 characters"):
            relative("b" * 62, zone)
