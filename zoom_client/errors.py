"""Everything that can go wrong with a call to Zoom, one class per thing a caller does differently.

ZoomError
├── Retryable                   later it may work; nobody has to change anything
│   ├── ZoomUnreachable         nothing reached Zoom, or certainly had no effect
│   ├── ZoomOutcomeUnknown      a write may have taken effect: look before asking again
│   ├── PageTokenExpired        walk the list again from its start
│   └── RateLimited             no effect; not before `retry_after`
│       ├── BurstLimited        too many calls in this second (the whole account's)
│       ├── ConcurrencyLimited  too many at once on one thing: one at a time
│       ├── AccountDayLimited   the account's day is used up: everything waits
│       ├── BudgetSpent         nothing was sent: our own count says it would be refused
│       ├── HostDayLimited      100 creates and updates a day for this host
│       └── PersonDayLimited    3 adds or 10 status changes a day for this person
├── ConfigurationError          works once somebody changes something in Zoom
│   ├── AuthenticationFailed    the credentials are refused
│   ├── ScopeMissing            the app lacks `scopes`
│   ├── HostNotFound            no such user in the account
│   ├── HostNotAllowed          the host's plan, role or settings do not allow it
│   ├── MeetingNotFound         gone, expired, or not visible to these credentials
│   ├── WrongKind               the id belongs to a webinar, not to a meeting
│   └── RegistrationDisabled    registration is off, or is a paid one
├── MeetingClosed               nobody can register any more
│   ├── MeetingOver
│   └── AtCapacity
├── ValidationFailed            `fields` says which values of the person or meeting
├── PersonRefused               this person cannot be registered as asked
│   ├── HostCannotRegister      they host it and need the start page
│   ├── AlreadyPanelist         they hold a panelist's link
│   ├── WorkEmailRequired       their invited work address is needed
│   └── ZoomAccountRequired     an address with a Zoom account is needed
├── RegistrantNotFound
├── RecordNotFound              of what was held: not held, not ready yet, or gone
│   └── RecordExpired           too old: Zoom has let it go for good
├── BatchNotSupported           add the people one by one
└── ZoomRefused                 any other refusal

No text of an error holds an address, a link, a token or a secret.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

# Each begins where its word does: from every place in a long word the cost is the length squared.
_PRIVATE = re.compile(
    r"(?P<link>(?<![a-z0-9+.-])[a-z0-9+.-]+://\S+)"
    r"|(?P<address>(?<![^\s<>()\[\]{},;:\"'`])"
    r"[^\s<>()\[\]{},;:\"'`]+[@\uff20][^\s<>()\[\]{},;:\"'`]+)"
    r"|(?P<secret>[\w.~+/=-]{40,})",
    re.IGNORECASE,
)
_READ_MAX = 2000
_MESSAGE_MAX = 300
_FIELDS_MAX = 50
_NOT_IN_TRACKING_ID = re.compile(r"[^A-Za-z0-9_.;:=-]")


def mask(text: str) -> str:
    """Replace addresses, links and long opaque words, and put the text on one short line."""
    if len(text) > _READ_MAX:
        # A word cut in two could be an address that no longer looks like one.
        text = re.sub(r"(?<!\S)\S+\Z", "", text[:_READ_MAX])
    hidden = _PRIVATE.sub(lambda found: f"({found.lastgroup})", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in hidden).split())
    return line[:_MESSAGE_MAX]


class ZoomError(Exception):
    """A call to Zoom that did not do what was asked.

    `status` is the HTTP status and `code` Zoom's own number in the body; they differ. Both are None
    where no answer came. `retry_after` is aware UTC. Quote `tracking_id` to Zoom's support.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        retry_after: datetime | None = None,
        tracking_id: str | None = None,
    ) -> None:
        self.message = mask(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.tracking_id = _NOT_IN_TRACKING_ID.sub("", tracking_id)[:200] if tracking_id else None
        super().__init__(self.message)

    def __str__(self) -> str:
        facts = (("HTTP", self.status), ("code", self.code), ("tracking id", self.tracking_id))
        known = ", ".join(f"{name} {value}" for name, value in facts if value is not None)
        return f"{self.message} ({known})" if known else self.message

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Retryable(ZoomError):
    """Later it may work without anybody changing anything."""

    retryable = True


class ZoomUnreachable(Retryable):
    """Nothing reached Zoom (name, connection, TLS, no token), so nothing changed there."""


class ZoomOutcomeUnknown(Retryable):
    """No usable answer came: timeout, cut or senseless answer, 5xx.

    `may_have_happened` is False where the call only read.
    """

    def __init__(self, message: str, *, may_have_happened: bool = True, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.may_have_happened = may_have_happened


class PageTokenExpired(Retryable):
    """The token of the next page, valid for 15 minutes, came too late."""


class RateLimited(Retryable):
    """Zoom did nothing because of a limit; `retry_after` is always set."""


class BurstLimited(RateLimited):
    """The account's calls per second are used up, by whichever app."""


class ConcurrencyLimited(RateLimited):
    """Another call on the same thing is still running."""


class AccountDayLimited(RateLimited):
    """The account's calls of this day are used up."""


class BudgetSpent(RateLimited):
    """Our own count says that Zoom would refuse the call, so it was not made."""


class HostDayLimited(RateLimited):
    """The host's creates and updates of this day (UTC) are used up."""


class PersonDayLimited(RateLimited):
    """This person's adds or status changes of this day (UTC) are used up; others go on."""


class ConfigurationError(ZoomError):
    """Somebody has to change something in Zoom, then the same call works."""


class AuthenticationFailed(ConfigurationError):
    """The credentials, or a token just made from them, are refused."""


class ScopeMissing(ConfigurationError):
    """The app lacks a scope; `scopes` are the ones Zoom names."""

    def __init__(self, message: str, *, scopes: Sequence[str] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.scopes = tuple(scopes)


class HostNotFound(ConfigurationError):
    """The account has no such user."""


class HostNotAllowed(ConfigurationError):
    """The host's plan, role or an account setting does not allow it."""


class MeetingNotFound(ConfigurationError):
    """The meeting or webinar is gone, expired, or not visible to these credentials."""


class WrongKind(ConfigurationError):
    """The id was asked for as a meeting and belongs to a webinar."""


class RegistrationDisabled(ConfigurationError):
    """Registration is off, or is a paid one, which the API cannot serve."""


class MeetingClosed(ZoomError):
    """Nobody can register any more."""


class MeetingOver(MeetingClosed):
    """The meeting is over."""


class AtCapacity(MeetingClosed):
    """Every place is taken."""


@dataclass(frozen=True)
class FieldError:
    """One value Zoom does not take; `field` is Zoom's name for it."""

    field: str
    message: str


class ValidationFailed(ZoomError):
    """A value is not accepted; `fields` may be empty where Zoom does not say which.

    Also raised before a call is spent on values known to be refused; `status` is then None.
    """

    def __init__(self, message: str, *, fields: Sequence[FieldError] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.fields = tuple(
            FieldError(mask(f.field), mask(f.message)) for f in fields[:_FIELDS_MAX]
        )


class PersonRefused(ZoomError):
    """This person cannot be registered as asked; others can."""


class HostCannotRegister(PersonRefused):
    """The person is the host or an alternative host."""


class AlreadyPanelist(PersonRefused):
    """The person was invited as a panelist and has that link by mail."""


class WorkEmailRequired(PersonRefused):
    """Only the work address that was invited can register."""


class ZoomAccountRequired(PersonRefused):
    """The meeting asks for signed-in people and this address has no Zoom account."""


class RegistrantNotFound(ZoomError):
    """The meeting has no such registrant."""


class RecordNotFound(ZoomError):
    """Zoom has no record of that: it was not held, only one person came, or it is gone.

    Soon after the end it may also be that Zoom has not written it yet: then ask again later.
    """


class RecordExpired(RecordNotFound):
    """What was held lies so far back (a year or more) that Zoom no longer tells of it."""


class BatchNotSupported(ZoomError):
    """Batches work for meetings of type 2 and webinars of type 5 only."""


class ZoomRefused(ZoomError):
    """Zoom refused for a reason that has no class of its own."""
