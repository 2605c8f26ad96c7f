"""Clocks, randomness and other servers, in the host in memory; host/cli/tests/e2e/python_sdk.rs has the real ones."""

import random
import secrets
import time
import unittest
import uuid
from datetime import UTC, date, datetime, timedelta
from os import urandom
from random import random as kept_random
from time import time as kept_time

from occi_extension import Fault, Subject
from occi_extension.http import Request, Response

from .hosted import fault_of, hosted

NOON = datetime(2026, 11, 28, 12, 0, 0, 250_000, UTC)


class AmbientTest(unittest.TestCase):
    def test_clocks_stand_where_the_test_sets_them(self) -> None:
        seen: list[object] = []

        def create(subject: Subject) -> None:
            seen[:] = [kept_time(), time.time_ns(), time.monotonic(), datetime.now(UTC), datetime.now(), date.today()]
            seen.extend([time.gmtime().tm_hour, time.strftime("%H:%M"), time.ctime()])
            self.assertIsInstance(NOON, datetime)
            self.assertIsInstance(datetime.now() + timedelta(1), date)
            self.assertNotIsInstance(date.today(), datetime)

        host, call = hosted(create)
        call()
        self.assertEqual(seen[3], datetime.fromtimestamp(0, UTC))
        host.set_time(NOON)
        call()
        seconds = NOON.timestamp()
        self.assertEqual(seen[:3], [seconds, int(seconds * 1000) * 10**6, seconds])
        self.assertEqual(seen[3:6], [NOON, NOON.replace(tzinfo=None), NOON.date()])
        self.assertEqual(seen[6:], [12, "12:00", "Sat Nov 28 12:00:00 2026"])
        self.assertGreater(kept_time(), seconds - 10**9, "the test has its own")
        self.assertIs(type(datetime.now()), datetime)

    def test_chance_is_the_same_in_each_test_and_not_in_each_call(self) -> None:
        drawn: list[object] = []

        def create(subject: Subject) -> None:
            drawn.extend([random.random(), kept_random(), secrets.token_hex(), uuid.uuid4(), urandom(4)])
            drawn.append(random.Random().random())

        def draw() -> list[object]:
            drawn.clear()
            _, call = hosted(create)
            call()
            call()
            return list(drawn)

        first, second = draw(), draw()
        self.assertEqual(first, second)
        self.assertEqual(len(set(first)), 12)

    def test_the_test_plays_the_servers(self) -> None:
        answers: list[Response] = []

        def create(subject: Subject) -> None:
            answers.append(Request("PUT", "https://api.example.com/a", {"X-Key": "{{key}}"}, b"[1]").send())

        host, call = hosted(create)
        host.serve(lambda request: Response(202, {"Location": "/b"}, b"[2, 3]"))
        call()
        self.assertEqual((answers[0].status, answers[0].headers["location"], answers[0].json()), (202, "/b", [2, 3]))
        (request,) = host.requests()
        self.assertEqual((request.method, request.url), ("PUT", "https://api.example.com/a"))
        self.assertEqual((request.headers, request.json()), ({"x-key": "{{key}}"}, [1]))
        self.assertEqual(host.requests(), [])

    def test_what_is_not_answered_is_a_fault(self) -> None:
        host, call = hosted(lambda subject: Request("GET", "https://api.example.com/").send())
        self.assertEqual(fault_of(call).code, "denied")

        def serve(request: Request) -> Response:
            raise Fault.unavailable("nobody is there")

        host.serve(serve)
        self.assertEqual(fault_of(call).code, "unavailable")
        for body in [b"\xff", b"{"]:
            self.assertEqual(fault_of(Response(200, {}, body).json).code, "failed")
