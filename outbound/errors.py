"""Why no answer came, one class per thing a caller does differently.

OutboundError
├── NotSent             nothing of the call left this machine: asking again is safe
│   └── AddressRefused  the host lies where this pool does not go
└── NoAnswer            something was sent, and no whole answer came back: it may have had effect

`fault` says what it was, the text says it to people. Neither quotes an address, a header or a body.
"""

from enum import StrEnum


class Fault(StrEnum):
    """What went wrong with a call."""

    SENSELESS_ADDRESS = "senseless_address"
    REFUSED_ADDRESS = "refused_address"
    UNKNOWN_NAME = "unknown_name"
    CERTIFICATE = "certificate"
    TLS = "tls"
    TIMEOUT = "timeout"
    REFUSED_CONNECTION = "refused_connection"
    NETWORK = "network"
    NO_TIME = "no_time"
    NO_TURN = "no_turn"
    TOO_LARGE = "too_large"
    BROKEN_ANSWER = "broken_answer"


_WORDS = {
    Fault.SENSELESS_ADDRESS: "the address of the call makes no sense",
    Fault.REFUSED_ADDRESS: "its address is not one to go to",
    Fault.UNKNOWN_NAME: "its name was not found",
    Fault.CERTIFICATE: "its certificate is not accepted",
    Fault.TLS: "TLS failed",
    Fault.TIMEOUT: "it took too long",
    Fault.REFUSED_CONNECTION: "it was refused",
    Fault.NETWORK: "the network failed",
    Fault.NO_TIME: "no time was left to make the call",
    Fault.NO_TURN: "others wait for an answer already",
    Fault.TOO_LARGE: "its answer is too large",
    Fault.BROKEN_ANSWER: "its answer broke off or makes no sense",
}


class OutboundError(Exception):
    """A call to which no whole answer came."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(_WORDS[fault])
        self.fault = fault


class NotSent(OutboundError):
    pass


class AddressRefused(NotSent):
    def __init__(self) -> None:
        super().__init__(Fault.REFUSED_ADDRESS)


class NoAnswer(OutboundError):
    pass


class MalformedAnswer(ValueError):
    """A whole answer that is not what the call promises."""
