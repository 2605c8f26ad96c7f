"""Why an extension, or a capability, says no."""

from __future__ import annotations

from .contract import Err, types


class Fault(Exception):
    """To be raised. The client reads the message: what is wrong, and what would mend it.

    `attribute` is the one that the client must change. `code` is one of those below, or one that a later version of
    the contract adds.
    """

    def __init__(self, code: str, message: str, attribute: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.attribute = attribute

    @classmethod
    def invalid(cls, message: str, attribute: str | None = None) -> Fault:
        """The request, or one of its attributes, makes no sense."""
        return cls("invalid", message, attribute)

    @classmethod
    def conflict(cls, message: str, attribute: str | None = None) -> Fault:
        """It cannot be done in the state that things are in."""
        return cls("conflict", message, attribute)

    @classmethod
    def denied(cls, message: str, attribute: str | None = None) -> Fault:
        """It is not allowed."""
        return cls("denied", message, attribute)

    @classmethod
    def missing(cls, message: str, attribute: str | None = None) -> Fault:
        """There is no such thing."""
        return cls("missing", message, attribute)

    @classmethod
    def unsupported(cls, message: str, attribute: str | None = None) -> Fault:
        """It makes sense, and cannot be done here."""
        return cls("unsupported", message, attribute)

    @classmethod
    def unavailable(cls, message: str, attribute: str | None = None) -> Fault:
        """Something that is needed does not answer now; trying again may help."""
        return cls("unavailable", message, attribute)

    @classmethod
    def timeout(cls, message: str, attribute: str | None = None) -> Fault:
        """It took too long."""
        return cls("timeout", message, attribute)

    @classmethod
    def failed(cls, message: str, attribute: str | None = None) -> Fault:
        """It went wrong, and no other code fits."""
        return cls("failed", message, attribute)

    @classmethod
    def of(cls, raised: Exception, where: str) -> Fault:
        """Of whatever was raised.

        A capability that is called by its generated functions raises the contract's fault. Anything else is a slip of
        the author's: as a trap it would end the call without a word.
        """
        if isinstance(raised, Fault):
            return raised
        if isinstance(raised, Err) and isinstance(raised.value, types.Fault):
            fault = raised.value
            return cls(fault.code, fault.message, fault.attribute)
        return cls.failed(f"{where}: {type(raised).__name__}: {raised}")

    def lower(self) -> types.Fault:
        """As the contract has it."""
        return types.Fault(self.code, self.message, self.attribute)
