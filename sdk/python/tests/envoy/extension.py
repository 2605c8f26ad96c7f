"""What the SDK has of clocks, randomness and other servers, for host/cli/tests/e2e/python_sdk.rs."""

import random
import secrets
import time
import uuid
from datetime import UTC, date, datetime, timedelta

from occi_extension import Attributes, Change, Kind, Subject, action, kind
from occi_extension.http import Request

ANSWER = "com.example.envoy.answer"


@kind("http://example.com/envoy#envoy")
class Envoy(Kind):
    @action("look")
    def look(self, subject: Subject, parameters: Attributes) -> Change:
        first, now = time.monotonic_ns(), datetime.now(UTC)
        assert time.monotonic_ns() > first
        assert abs(now.timestamp() - time.time()) < 10
        assert datetime.now() - now.replace(tzinfo=None) < timedelta(seconds=10)
        assert isinstance(now + timedelta(1), datetime) and isinstance(now, date)
        assert time.strftime("%Y", time.gmtime()) == str(date.today().year)
        drawn = [
            random.random(),
            random.randrange(2**32),
            secrets.token_hex(),
            str(uuid.uuid4()),
            random.Random().random(),
        ]
        return Change().set(ANSWER, {"now": now.isoformat(), "drawn": drawn})

    @action("ask")
    def ask(self, subject: Subject, parameters: Attributes) -> Change:
        headers = {"X-Asked-By": subject.id, "Authorization": "Bearer {{key}}"}
        body = b"x" * (parameters.integer("size") or 0)
        answer = Request(parameters.text("method") or "", parameters.text("url") or "", headers, body).send()
        return Change().set(ANSWER, {"status": answer.status, "headers": dict(answer.headers), "body": answer.text})
