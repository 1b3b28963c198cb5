"""The privacy notice of an organization: its versions, what differs, and who uses which."""

from __future__ import annotations

from dataclasses import replace

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.markdown import say_large_tables
from forms.notice import ALL_EVENTS, build_notice_form, list_labels, name_field, read_document
from forms.organizer_fields import OrganizerForm
from services import audit
from services.audit import Action, Fact
from services.default_notice import Operator
from services.markdown import are_tables_small
from services.members import Member, Permission
from services.notice_publishing import (
    NoticeChangedMeanwhile,
    list_open_events,
    list_uses,
    names_other_processors,
    publish_notice,
)
from services.notices import (
    ALL_SLOTS,
    PARTS,
    NoticeDocument,
    compare,
    find_gaps,
    list_operator_gaps,
    load_document,
    make_default_document,
    write_document,
)
from services.organizations import make_operator
from services.processors import write_processors
from services.texts import LOCALES, localize
from storage import notices, organizations
from storage.models import Organization

from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from .access import bp, needs
from .processors import read_processors

URL = "/organizer/settings/notice"


@bp.get("/settings/notice")
@needs(Permission.ADD_EVENTS)
def show_notice(member: Member) -> ResponseReturnValue:
    site, locale = get_site(), read_locale()
    with site.database.read() as session:
        organization = organizations.need_organization(session, member.organization_id)
        uses = list_uses(session, organization, now=site.read_clock())
        return render_template(
            "organizer/notice.html",
            versions=notices.list_versions(session, member.organization_id),
            uses=[(localize(event.title, locale) or event.slug, number) for event, number in uses],
            missing=list_operator_gaps(make_operator(organization)),
            is_behind=names_other_processors(
                session, organization, read_processors(session, member.organization_id)
            ),
        )


@bp.get("/settings/notice/edit")
@needs(Permission.ADD_EVENTS)
def edit_notice(member: Member) -> ResponseReturnValue:
    with get_site().database.read() as session:
        versions = notices.list_versions(session, member.organization_id)
        newest = versions[0].number if versions else 0
        number = read_number(request.args.get("from", ""))
        document = _need_document(session, member, newest if number is None else number)
        return _draw(session, member, _build_form(session, member, document), newest)


@bp.post("/settings/notice/edit")
@needs(Permission.ADD_EVENTS)
def publish(member: Member) -> ResponseReturnValue:
    site = get_site()
    base = read_number(request.form.get("base", ""))
    if base is None:
        abort(422)
    with site.database.read() as session:
        organization = organizations.need_organization(session, member.organization_id)
        form = _build_form(session, member, None)
        if not form.validate() or not _is_whole(form, organization):
            return _draw(session, member, form, base, status=422)
        ids = _read_chosen(session, member, form)
        processors = read_processors(session, member.organization_id)
    document = replace(read_document(form), processors=processors)
    now = site.read_clock()
    try:
        with site.database.write() as session:
            organization = organizations.lock_organization(session, member.organization_id)
            version = publish_notice(
                session,
                organization,
                document,
                base=base,
                author=member.public_id,
                event_ids=ids,
                now=now,
            )
            facts: dict[str, Fact] = {"part": "notice", "version": version.number}
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    except NoticeChangedMeanwhile:
        return _tell_of_other(member, form)
    return redirect(f"{URL}?done={version.number}", code=303)


@bp.get("/settings/notice/compare")
@needs(Permission.ADD_EVENTS)
def compare_notices(member: Member) -> ResponseReturnValue:
    """Show a version whole, and what differs from another one; 0 is what the product ships."""
    present = read_number(request.args.get("new", "")) or 0
    asked = read_number(request.args.get("old", ""))
    former = max(present - 1, 0) if asked is None else asked
    with get_site().database.read() as session:
        operator = _read_operator(session, member)
        texts = [
            write_document(_need_document(session, member, number), operator)
            for number in (former, present)
        ]
    return render_template(
        "organizer/notice_compare.html",
        former=former,
        present=present,
        differences={
            each: compare(*(text.get(each, "") for text in texts))
            for each in LOCALES
            if any(text.get(each) for text in texts)
        },
    )


def _need_document(session: Session, member: Member, number: int) -> NoticeDocument:
    if number == 0:
        processors = read_processors(session, member.organization_id)
        return replace(make_default_document(), processors=processors)
    version = notices.get_version(session, member.organization_id, number)
    if version is None:
        abort(404)
    return load_document(version.document)


def _read_operator(session: Session, member: Member) -> Operator:
    return make_operator(organizations.need_organization(session, member.organization_id))


def _build_form(session: Session, member: Member, document: NoticeDocument | None) -> OrganizerForm:
    site, locale = get_site(), read_locale()
    organization = organizations.need_organization(session, member.organization_id)
    found = list_open_events(session, member.organization_id, now=site.read_clock())
    return build_notice_form(
        None if document is not None else request.form,
        document,
        locale=locale,
        default_locale=organization.default_locale,
        events=[(event.public_id, localize(event.title, locale) or event.slug) for event in found],
    )


def _is_whole(form: OrganizerForm, organization: Organization) -> bool:
    """Name every gap at its field; True if there is none."""
    operator = make_operator(organization)
    labels = list_labels(read_locale())
    gaps = find_gaps(read_document(form), operator, default_locale=organization.default_locale)
    for gap in gaps:
        language = "日本語" if gap.locale == "ja" else "English"
        message = (
            _("Fill in %(slot)s (%(language)s)", slot=labels[gap.slot], language=language)
            if gap.is_empty
            else _(
                "The box for advertising mail (%(language)s) has to name the sender's official"
                " name and to say that it is advertising",
                language=language,
            )
        )
        form.refuse(name_field(gap.slot, gap.locale), message)
    return not gaps and not list_operator_gaps(operator) and _are_tables_small(form, operator)


def _are_tables_small(form: OrganizerForm, operator: Operator) -> bool:
    """Refuse tables that are too large for the notice as a whole, at the slot with most of them."""
    document = read_document(form)
    large = [
        locale
        for locale, text in write_document(document, operator).items()
        if not are_tables_small(text)
    ]
    for locale in large:
        slot = max(ALL_SLOTS, key=lambda slot: document.get(slot, locale).count("|"))
        form.refuse(name_field(slot, locale), say_large_tables(list_labels(read_locale())[slot]))
    return not large


def _tell_of_other(member: Member, form: OrganizerForm) -> ResponseReturnValue:
    """Show what was typed again, on top of what somebody else has published meanwhile."""
    with get_site().database.read() as session:
        newest = notices.list_versions(session, member.organization_id)[0].number
        alert = _(
            "Somebody else has published version %(number)s meanwhile. Nothing was saved yet:"
            " compare the two, then publish yours again or leave theirs.",
            number=newest,
        )
        return _draw(session, member, form, newest, status=409, alert=alert)


def _read_chosen(session: Session, member: Member, form: OrganizerForm) -> set[int] | None:
    if form["use"].data[0] == ALL_EVENTS:
        return None
    chosen = form["events"].data
    found = list_open_events(session, member.organization_id, now=get_site().read_clock())
    return {event.id for event in found if event.public_id in chosen}


def _draw(
    session: Session,
    member: Member,
    form: OrganizerForm,
    base: int,
    *,
    status: int = 200,
    alert: str = "",
) -> ResponseReturnValue:
    rows = form.rows_by_name
    page = render_template(
        "organizer/notice_edit.html",
        rows=rows,
        slots=[
            [rows[name_field(slot, each)] for each in LOCALES]
            for slot in ALL_SLOTS
            if slot not in {part for parts in PARTS.values() for part in parts}
        ],
        parts=[
            [rows[name_field(part, each)] for each in LOCALES]
            for parts in PARTS.values()
            for part in parts
        ],
        errors=form.error_list,
        missing=list_operator_gaps(_read_operator(session, member)),
        processors=write_processors(
            read_processors(session, member.organization_id), read_locale()
        ),
        base=base,
        alert=alert,
    )
    return page, status
