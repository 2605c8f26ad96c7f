"""A counter: its action counts once more. What else it is, manifest.toml says."""

from occi_extension import Attributes, Change, Kind, Subject, action, kind, log

COUNT = "com.example.{{name}}.count"


@kind("http://example.com/occi/{{name}}#{{name}}")
class Counter(Kind):
    @action("count")
    def count(self, subject: Subject, parameters: Attributes) -> Change:
        count = (subject.integer(COUNT) or 0) + 1
        log.info(f"counted to {count}")
        return Change().set(COUNT, count)
