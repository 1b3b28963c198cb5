"""Every table, one module per noun; importing this package fills `Base.metadata`."""

from .alarms import Alarm
from .base import Base
from .events import Asset, Event, EventCounter, FormVersion, KnownRegistrant
from .jobs import Job, RateBucket, WorkerHeartbeat
from .mails import Mail
from .organizations import Organization, ZoomConnection
from .registrations import Answer, Consent, Registration, RegistrationChange
from .schema import SchemaFit
from .secrets import KnownSecret
from .submissions import SubmissionRow
from .zoom_limits import ZoomAccount, ZoomBudget, ZoomEvent
from .zoom_registrants import ZoomRegistrant

__all__ = [
    "Alarm",
    "Answer",
    "Asset",
    "Base",
    "Consent",
    "Event",
    "EventCounter",
    "FormVersion",
    "Job",
    "KnownRegistrant",
    "KnownSecret",
    "Mail",
    "Organization",
    "RateBucket",
    "Registration",
    "RegistrationChange",
    "SchemaFit",
    "SubmissionRow",
    "WorkerHeartbeat",
    "ZoomAccount",
    "ZoomBudget",
    "ZoomConnection",
    "ZoomEvent",
    "ZoomRegistrant",
]
