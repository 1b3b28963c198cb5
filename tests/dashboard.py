"""Visiting the dashboard: organizers of any role, in any organization, signed in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import requests
from sqlalchemy.orm import Session

from services.access_links import LinkPurpose, add_link
from services.members import Role
from storage import members, organizations, organizers
from storage.models import Membership, Organization, Organizer
from tests import factories
from tests.live_site import LiveSite
from tests.page import Page, Visitor

_numbers = itertools.count(1)


class Dashboard(Visitor):
    """A browser without scripts that keeps cookies, as the dashboard needs it."""

    def __init__(self, url: str, *, locale: str = "ja") -> None:
        super().__init__(url, locale=locale)
        self._session.cookies = requests.cookies.RequestsCookieJar()

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self._session.cookies)

    def set_cookie(self, value: str) -> None:
        [cookie] = self._session.cookies
        cookie.value = value

    def post_form(
        self, page_address: str, action: str, fields: dict[str, str], *, status: int = 200
    ) -> Page:
        """Post to an address with the token of a form that a page has."""
        page = self.open(page_address)
        token = page.root.find_all("input", name="csrf_token")[0]["value"]
        return self.post(action, [*fields.items(), ("csrf_token", token)], status=status)

    def send_file(self, address: str, fields: dict[str, str], *, file: tuple[str, bytes]) -> Page:
        """Post a form with a file, given as (name, content)."""
        return self.post(address, [*fields.items()], files={"file": file})

    def _check_cookies(self, response: requests.Response) -> None:
        sent = response.headers.get("Set-Cookie", "")
        assert not sent or "HttpOnly" in sent and "SameSite=Lax" in sent, sent


def make_organizer(session: Session, *, now: Any = factories.NOW, **members_: Any) -> Organizer:
    """Add an organizer who is a member of nothing and has no password."""
    number = next(_numbers)
    email = members_.pop("email", f"organizer{number}@example.com")
    organizer = organizers.add_organizer(
        session,
        email=email,
        email_key=email,
        name=members_.pop("name", "主催 花子"),
        locale=members_.pop("locale", "ja"),
        now=now,
    )
    organizer.has_proven_address = True
    for name, value in members_.items():
        setattr(organizer, name, value)
    session.flush()
    return organizer


def make_membership(
    session: Session,
    role: Role = Role.OWNER,
    *,
    organization: Organization | None = None,
    event_ids: Iterable[int] | None = None,
    now: Any = factories.NOW,
    **organizer: Any,
) -> Membership:
    """Add an organizer with a role; in the first organization, which is made if need be."""
    organization = organization or organizations.get_first_organization(session)
    organization = organization or factories.make_organization(session, now=now)
    person = make_organizer(session, now=now, **organizer)
    return members.add_membership(
        session, organization.id, person.id, role=role, event_ids=event_ids, now=now
    )


def sign_in(
    site: LiveSite, role: Role = Role.OWNER, *, locale: str = "ja", **membership: Any
) -> Dashboard:
    """Return the browser of somebody new with a role, signed in."""
    with site.database.write() as session:
        made = make_membership(session, role, locale=locale, now=site.clock(), **membership)
        organizer_id = made.organizer_id
    return sign_in_again(site, organizer_id, locale=locale)


def sign_in_again(site: LiveSite, organizer_id: int, *, locale: str = "ja") -> Dashboard:
    """Return another browser of an organizer, signed in."""
    browser = Dashboard(site.url, locale=locale)
    site.close_later(browser.close)
    browser.open(make_entrance(site, organizer_id)).form().submit()
    return browser


def make_entrance(site: LiveSite, organizer_id: int) -> str:
    """Return a link that signs an organizer in, once: for tests in a browser."""
    with site.database.write() as session:
        link = add_link(session, LinkPurpose.ENTER, organizer_id=organizer_id, now=site.clock())
        return site.parts.links.access(link)
