"""Every table, one module per noun; importing this package fills `Base.metadata`."""

from .alarms import Alarm
from .api_keys import ApiKey, ApiRequest
from .attendance import Attendance, AttendanceRecord
from .audit import AuditEntry, AuditHead
from .base import Base, Sealed
from .events import Asset, Event, EventCounter, FormDraft, FormVersion, KnownRegistrant
from .heartbeats import WorkerHeartbeat
from .identity_providers import CompanyIdentity, IdentityDomain, IdentityProvider
from .invitation_links import InvitationLink
from .jobs import Job, JobState
from .limits import RateBucket
from .mails import Mail
from .notices import NoticeVersion
from .organizations import FormerSlug, Organization, ZoomConnection
from .organizers import (
    AccessLink,
    EventAccess,
    Membership,
    Organizer,
    OrganizerMail,
    OrganizerSession,
    Passkey,
)
from .people_imports import PeopleImport, PeopleImportFile, PeopleImportRow
from .people_tasks import PeopleTask, PeopleTaskItem, PeopleTaskPart
from .people_views import PeopleView
from .provisions import ProvidedPerson, Provision
from .registration_index import (
    IndexBits,
    IndexBlock,
    IndexMark,
    IndexOrder,
    IndexProgress,
    IndexTexts,
    IndexTotal,
)
from .registrations import Answer, Consent, Registration, RegistrationChange
from .rehearsals import Rehearsal
from .schema import SchemaFit
from .secrets import KnownSecret
from .submissions import SubmissionRow
from .visits import VisitCount, VisitOrigin
from .webhooks import WebhookEndpoint, WebhookMessage, WebhookSubscription
from .zoom_limits import ZoomAccount, ZoomBudget, ZoomEvent
from .zoom_registrants import ZoomRegistrant

__all__ = [
    "AccessLink",
    "Alarm",
    "Answer",
    "ApiKey",
    "ApiRequest",
    "Asset",
    "Attendance",
    "AttendanceRecord",
    "AuditEntry",
    "AuditHead",
    "Base",
    "CompanyIdentity",
    "Consent",
    "Event",
    "EventAccess",
    "EventCounter",
    "FormDraft",
    "FormVersion",
    "FormerSlug",
    "IdentityDomain",
    "IdentityProvider",
    "IndexBits",
    "IndexBlock",
    "IndexMark",
    "IndexOrder",
    "IndexProgress",
    "IndexTexts",
    "IndexTotal",
    "InvitationLink",
    "Job",
    "JobState",
    "KnownRegistrant",
    "KnownSecret",
    "Mail",
    "Membership",
    "NoticeVersion",
    "Organization",
    "Organizer",
    "OrganizerMail",
    "OrganizerSession",
    "Passkey",
    "PeopleImport",
    "PeopleImportFile",
    "PeopleImportRow",
    "PeopleTask",
    "PeopleTaskItem",
    "PeopleTaskPart",
    "PeopleView",
    "ProvidedPerson",
    "Provision",
    "RateBucket",
    "Registration",
    "RegistrationChange",
    "Rehearsal",
    "SchemaFit",
    "Sealed",
    "SubmissionRow",
    "VisitCount",
    "VisitOrigin",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookSubscription",
    "WorkerHeartbeat",
    "ZoomAccount",
    "ZoomBudget",
    "ZoomConnection",
    "ZoomEvent",
    "ZoomRegistrant",
]
