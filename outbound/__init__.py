"""The one way out: every call over HTTP to another system goes through this package.

It bounds time and size, follows nothing, sends no more than it was given, and goes only where it
may. It knows nothing of the product. Mail, too, is connected by `dialling`.
"""

from outbound.deadline import Deadline
from outbound.errors import (
    AddressRefused,
    Fault,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    OutboundError,
)
from outbound.hosts import HostRules
from outbound.pool import HttpAnswer, HttpPool
from outbound.retry_after import read_retry_after

__all__ = [
    "AddressRefused",
    "Deadline",
    "Fault",
    "HostRules",
    "HttpAnswer",
    "HttpPool",
    "MalformedAnswer",
    "NoAnswer",
    "NotSent",
    "OutboundError",
    "read_retry_after",
]
