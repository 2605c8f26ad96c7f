import unittest

from extension import COUNT, Counter
from occi_extension.testing import Host


class CounterTest(unittest.TestCase):
    def test_each_call_counts(self) -> None:
        host = Host(Counter)
        # The server has set what has a default.
        one = host.resource("http://example.com/occi/{{name}}#{{name}}", {COUNT: 0})
        host.act(one, "count")
        self.assertEqual(one.attributes[COUNT], 1)
