"""The dashboard's navigation; members see only the entries that are open to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for
from flask_babel import lazy_gettext

from services.members import Permission


@dataclass(frozen=True)
class Way:
    """One entry; `below` is where its other pages lie, if not below its own."""

    endpoint: str
    label: Any
    needed: Permission
    description: Any = ""
    below: str = ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        """Whether this page is the entry's, or lies below it."""
        return request.path == self.url or request.path.startswith(f"{self.below or self.url}/")


SETTINGS_PAGE = "organizer.show_settings"
"""Shown to who may set anything."""

MAIN = (
    Way(
        "organizer.list_events",
        lazy_gettext("Events"),
        Permission.SEE_EVENTS,
        below="/organizer/events",
    ),
    Way(SETTINGS_PAGE, lazy_gettext("Settings"), Permission.SEE_EVENTS),
    Way("organizer.show_account", lazy_gettext("Account"), Permission.SIGNED_IN),
)

SETTINGS = (
    Way(
        "organizer.show_organization",
        lazy_gettext("Organization"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("Names, address, contact, time zone, language, and how links are given"),
    ),
    Way(
        "organizer.show_list_page",
        lazy_gettext("List of events"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("A public page of your coming events, also within your own site"),
    ),
    Way(
        "organizer.show_zoom",
        lazy_gettext("Zoom"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("The account that your meetings and webinars belong to, and a test of it"),
    ),
    Way(
        "organizer.show_notice",
        lazy_gettext("Privacy notice"),
        Permission.ADD_EVENTS,
        lazy_gettext("What people read before they register, in versions"),
    ),
    Way(
        "organizer.show_mail_settings",
        lazy_gettext("Mail"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("The sender, a test mail, and SPF, DKIM and DMARC"),
    ),
    Way(
        "organizer.list_members",
        lazy_gettext("Members and roles"),
        Permission.MANAGE_MEMBERS,
        lazy_gettext("Who belongs to the organization, what they may do, and who is invited."),
    ),
    Way(
        "organizer.show_provider",
        lazy_gettext("Company sign-in"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("Members sign in with their company's account: Google, Microsoft, Keycloak…"),
    ),
    Way(
        "organizer.list_api_keys",
        lazy_gettext("API keys"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("Let programs register people, read who is registered, and approve them."),
    ),
    Way(
        "organizer.list_webhooks",
        lazy_gettext("Webhooks"),
        Permission.MANAGE_ORGANIZATION,
        lazy_gettext("Tell other systems, such as a CRM, when somebody registers or cancels"),
    ),
    Way(
        "organizer.show_audit",
        lazy_gettext("Audit log"),
        Permission.SEE_AUDIT,
        lazy_gettext("Who did and saw what, and when. Nobody can change it."),
    ),
)
"""What the settings page lists."""


def list_navigation(ways: tuple[Way, ...] = MAIN) -> list[Way]:
    """Return the entries that the member of this request may open."""
    member = g.get("member")
    permitted = [way for way in ways if member is not None and member.may(way.needed)]
    return [way for way in permitted if way.endpoint != SETTINGS_PAGE or list_navigation(SETTINGS)]
