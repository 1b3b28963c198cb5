"""How the pages about webhooks say what was told, and why something was not taken."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from outbound import Fault
from services.happenings import Happening
from services.webhooks import TEST, UNSIGNED, MessageState, Payload
from storage.models import WebhookEndpoint, WebhookMessage

KINDS = {
    Happening.CREATED: lazy_gettext("Somebody registered"),
    Happening.APPROVED: lazy_gettext("Approved"),
    Happening.CONFIRMED: lazy_gettext("At Zoom: the join link works"),
    Happening.DENIED: lazy_gettext("Turned down"),
    Happening.CANCELLED: lazy_gettext("Somebody cancelled"),
    Happening.JOINED: lazy_gettext("Pressed the join button"),
    Happening.ATTENDED: lazy_gettext("Attended, by Zoom's record"),
    Happening.ERASED: lazy_gettext("Erased"),
}
PAYLOADS = {
    Payload.THIN: lazy_gettext("Ids and status alone: no personal data leaves this site"),
    Payload.FULL: lazy_gettext("Name, email address and answers, but no sensitive ones"),
}
STATES = {
    MessageState.WAITING: (lazy_gettext("Waiting"), "warning"),
    MessageState.DELIVERED: (lazy_gettext("Delivered"), "success"),
    MessageState.FAILED: (lazy_gettext("Given up"), "warning"),
    MessageState.DROPPED: (lazy_gettext("Dropped"), ""),
}
_ENDPOINT_STATES = {
    "active": (lazy_gettext("Works"), "success"),
    "paused": (lazy_gettext("Paused"), "warning"),
    "ended": (lazy_gettext("Ended"), ""),
}
_FAULTS = {
    Fault.SENSELESS_ADDRESS: lazy_gettext("The address cannot be used"),
    Fault.REFUSED_ADDRESS: lazy_gettext(
        "The host has an address that is not on the internet, so nothing was sent"
    ),
    Fault.UNKNOWN_NAME: lazy_gettext("The name of the host was not found"),
    Fault.CERTIFICATE: lazy_gettext("The host's certificate is not valid"),
    Fault.TLS: lazy_gettext("The encrypted connection failed"),
    Fault.TIMEOUT: lazy_gettext("No answer within 15 seconds"),
    Fault.REFUSED_CONNECTION: lazy_gettext("The host refused the connection"),
    Fault.NETWORK: lazy_gettext("The network failed"),
    Fault.TOO_LARGE: lazy_gettext("The answer was larger than 1 MB"),
    Fault.BROKEN_ANSWER: lazy_gettext("The answer broke off or made no sense"),
    UNSIGNED: lazy_gettext("The secret cannot be read any more. Make a new one"),
}


def name_kind(kind: str) -> str:
    return _("Test message") if kind == TEST else str(KINDS[Happening(kind)])


def describe_answer(message: WebhookMessage) -> str:
    """Say what came of the last try; empty before the first."""
    if message.error:
        return str(_FAULTS.get(message.error, _("Not sent")))
    if message.answer is None:
        return ""
    if 300 <= message.answer < 400:
        return _("Answer %(status)s: redirects are not followed", status=message.answer)
    return _("Answer %(status)s", status=message.answer)


def describe_state(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """Return the word for an endpoint's state, and the kind of its badge."""
    if endpoint.state == "active" and endpoint.failures:
        return _("Not reached"), "warning"
    words, kind = _ENDPOINT_STATES[endpoint.state]
    return str(words), kind
