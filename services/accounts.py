"""Accounts of organizers: how they come about, and changing a password."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import access_links, members, organizations, organizers, passkeys
from storage.models import AccessLink, Organization, Organizer

from . import audit
from .access_links import LinkPurpose, add_link, is_backed
from .addresses import email_key
from .audit import COMMAND, NOBODY, Action
from .members import Role
from .organizations import is_first
from .organizer_mails import OrganizerMailName, request_mail
from .sign_in import record_about


class LinkUsed(Exception):
    """Somebody was faster: the link works once."""


def join(
    session: Session,
    link: AccessLink,
    *,
    email: str,
    name: str,
    organization_name: str = "",
    password_hash: str,
    locale: str,
    now: datetime,
) -> Organizer | None:
    """Make somebody a member as a link says, with a new account if they have none.

    A mailed link proves the address it went to, so `email` is used for an owner's link alone.
    Returns the new account, or None where one exists already: it stays as it is, since knowing an
    address proves neither its password nor its second factor. One exception: an account whose
    address nobody has proven goes to whoever comes with a mailed link, and its former password,
    factors and sessions end.

    Raises:
        LinkUsed: the link was used meanwhile, or its sender may not invite any more.
    """
    assert link.organization_id is not None, "invitations belong to an organization"
    if not is_backed(session, link) or not access_links.use_link(session, link.id, now=now):
        raise LinkUsed
    address = link.email or email
    known = organizers.get_organizer_by_key(session, email_key(address))
    organizer = known or organizers.add_organizer(
        session,
        email=address,
        email_key=email_key(address),
        name=name,
        locale=locale,
        now=now,
    )
    is_theirs = known is None or (bool(link.email) and not known.has_proven_address)
    if is_theirs:
        organizer.name = name
        _hand_over(session, organizer, password_hash, is_proven=bool(link.email))
    organization = organizations.need_organization(session, link.organization_id)
    if link.purpose == LinkPurpose.OWNER and is_first(session, organization):
        organizer.may_add_organizations = True
    if organization_name and not organization.name:
        organization.name = organization_name
    _let_in(session, organization, organizer, link, now=now)
    return organizer if is_theirs else None


def _hand_over(
    session: Session, organizer: Organizer, password_hash: str, *, is_proven: bool
) -> None:
    """Give an account a new password, and take away every factor and session it had before."""
    _forget_second_factors(session, organizer)
    organizers.end_browsers(session, organizer.id)
    organizer.password_hash = password_hash
    organizer.has_proven_address = is_proven
    session.flush()


def _let_in(
    session: Session,
    organization: Organization,
    organizer: Organizer,
    link: AccessLink,
    *,
    now: datetime,
) -> None:
    """Make an organizer a member; one who is a member already stays what they are."""
    if members.get_membership(session, organization.id, organizer.id) is None:
        members.add_membership(
            session,
            organization.id,
            organizer.id,
            role=Role(link.role),
            event_ids=link.event_ids,
            now=now,
        )
    audit.record_as(
        session,
        organizer.public_id,
        Action.MEMBER_JOINED,
        f"organizer:{organizer.public_id}",
        chain=organization.id,
        facts={"role": link.role},
        now=now,
    )


def has_account(session: Session, link: AccessLink) -> bool:
    """Tell whether whoever an invitation was mailed to has an account that is surely theirs."""
    if not link.email:
        return False
    organizer = organizers.get_organizer_by_key(session, email_key(link.email))
    return organizer is not None and organizer.has_proven_address


def ask_for_password_link(session: Session, email: str, *, locale: str, now: datetime) -> None:
    """Mail a link that sets a new password, to the stored address; an unknown one gets nothing.

    Both leave an entry in a log: so neither can be told by how long it takes to store it.
    """
    organizer = organizers.get_organizer_by_key(session, email_key(email))
    if organizer is None:
        audit.record_as(session, NOBODY, Action.PASSWORD_LINK_ASKED, now=now)
        return
    link = make_password_link(session, organizer, locale=locale, is_mailed=True, now=now)
    request_mail(
        session,
        OrganizerMailName.PASSWORD,
        organizer.email,
        link=link,
        locale=organizer.locale,
        now=now,
    )
    record_about(session, organizer, Action.PASSWORD_LINK_ASKED, now=now)


def make_password_link(
    session: Session,
    organizer: Organizer,
    *,
    locale: str,
    is_mailed: bool = False,
    now: datetime,
) -> AccessLink:
    """Make the one link that sets a new password; former ones are dead.

    One that is mailed names the address, which its use proves.
    """
    access_links.end_links(session, LinkPurpose.PASSWORD, organizer_id=organizer.id, now=now)
    return add_link(
        session,
        LinkPurpose.PASSWORD,
        organizer_id=organizer.id,
        email=organizer.email if is_mailed else "",
        locale=locale,
        now=now,
    )


def set_password_by_link(
    session: Session, link: AccessLink, password_hash: str, *, now: datetime
) -> None:
    """Set a new password; every session ends.

    Raises:
        LinkUsed: the link was used meanwhile.
    """
    assert link.organizer_id is not None, "password links belong to an account"
    if not access_links.use_link(session, link.id, now=now):
        raise LinkUsed
    organizer = organizers.lock_organizer(session, link.organizer_id)
    if link.email and not organizer.has_proven_address:
        _hand_over(session, organizer, password_hash, is_proven=True)
    _set_password(session, organizer, password_hash, but=None, now=now)


def change_password(
    session: Session, organizer_id: int, password_hash: str, *, session_id: int, now: datetime
) -> None:
    """Change a password from within; every other session ends."""
    organizer = organizers.lock_organizer(session, organizer_id)
    _set_password(session, organizer, password_hash, but=session_id, now=now)


def drop_second_factors(session: Session, organizer: Organizer, *, now: datetime) -> None:
    """Let a password suffice again: for the operator, where somebody has lost all they had."""
    _forget_second_factors(session, organizer)
    record_about(session, organizer, Action.SECOND_FACTOR_REMOVED, actor=COMMAND, now=now)


def _forget_second_factors(session: Session, organizer: Organizer) -> None:
    organizer.totp_secret, organizer.recovery_codes = None, []
    session.flush()
    for passkey in passkeys.list_passkeys(session, organizer.id):
        passkeys.delete_passkey(session, organizer.id, passkey.public_id)


def _set_password(
    session: Session, organizer: Organizer, password_hash: str, *, but: int | None, now: datetime
) -> None:
    organizer.password_hash = password_hash
    session.flush()
    organizers.end_browsers(session, organizer.id, but=but)
    access_links.end_links(session, LinkPurpose.PASSWORD, organizer_id=organizer.id, now=now)
    request_mail(
        session,
        OrganizerMailName.PASSWORD_CHANGED,
        organizer.email,
        locale=organizer.locale,
        now=now,
    )
    record_about(session, organizer, Action.PASSWORD_CHANGED, now=now)
