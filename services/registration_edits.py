"""Changing what a registration says: names, answers and, in a series, dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, registration_index, registrations, submissions, zoom_registrants
from storage.models import Event, Registration, RegistrationChange, SubmissionRow

from .answers import ANSWERS, change_answers, would_change
from .chosen_dates import count_places, read_ahead, read_chosen
from .deliveries import Delivery
from .event_dates import list_chosen_ids, takes_choice
from .mails import MailName, request_mail
from .moves import fill_free_seats
from .questions import DATES, Answer, answers_from_json
from .registrations import (
    HOLDS_SEAT,
    ORGANIZER,
    ChangeRefused,
    DatesClosed,
    Outcome,
    RegistrationError,
    Status,
    request_sync,
)

DAY = timedelta(days=1)
MAX_EDITS_A_DAY = 20
MAX_DATE_CHANGES_A_DAY = 3
"""Each may cost one of the three adds that Zoom takes of a person."""


class EditedMeanwhile(RegistrationError):
    """Somebody else has changed the registration since it was shown."""


class ChangedOften(ChangeRefused):
    """Somebody has changed what they said, or their dates, `most` times within a day."""

    def __init__(
        self, most: int, changes: Sequence[RegistrationChange], *, is_of_dates: bool
    ) -> None:
        super().__init__(most)
        self.most = most
        self.again_at = changes[-most].changed_at + DAY
        self.is_of_dates = is_of_dates


def lock_to_edit(session: Session, event: Event, registration_id: int) -> Registration | None:
    """Lock a registration for a change and, before it, the seats of dates that it may take.

    Everybody locks in this order, so that no two wait for each other.
    """
    if takes_choice(event):
        events.lock_seats(session, event.id)
    return registrations.lock_registration(session, registration_id)


def edit_details(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    family_name: str,
    given_name: str,
    answers: Mapping[str, Answer],
    form_version_id: int,
    now: datetime,
) -> None:
    """Change what a person said of themselves, some times a day: the history keeps it all.

    Raises:
        ChangedOften: it was changed often enough in a day.
        DatesClosed: a date that is new takes nobody now.
    """
    changes = _list_edits(session, registration, now)
    # What came twice was stored by the first of them.
    if len(changes) >= MAX_EDITS_A_DAY and would_change(
        session,
        registration,
        family_name=family_name,
        given_name=given_name,
        answers=answers,
        form_version_id=form_version_id,
    ):
        raise ChangedOften(MAX_EDITS_A_DAY, changes, is_of_dates=False)
    if takes_choice(event):
        _check_moves(session, registration, answers, changes)
    has_moved = _move_places(session, event, registration, answers, now)
    change_answers(
        session,
        registration,
        family_name=family_name,
        given_name=given_name,
        answers=answers,
        form_version_id=form_version_id,
        now=now,
    )
    # Whoever typed an address that is not theirs may have this page too.
    _follow(session, event, registration, now, has_moved=has_moved, may_wait=True)


def edit_by_organizer(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    seen_at: str,
    family_name: str,
    given_name: str,
    answers: Mapping[str, Answer],
    form_version_id: int,
    now: datetime,
) -> None:
    """Change what is stored of a person, if nobody changed it since the organizer saw it.

    Args:
        seen_at: `write_version` of the registration when the form was drawn.

    Raises:
        EditedMeanwhile: somebody else has changed it since.
        DatesClosed: a newly chosen date is closed.
    """
    locked = lock_to_edit(session, event, registration.id)
    assert locked is not None, "registrations are not deleted while they are shown"
    if write_version(locked) != seen_at:
        raise EditedMeanwhile
    has_moved = _move_places(session, event, locked, answers, now)
    change_answers(
        session,
        locked,
        family_name=family_name,
        given_name=given_name,
        answers=answers,
        form_version_id=form_version_id,
        actor=ORGANIZER,
        now=now,
    )
    _follow(session, event, locked, now, has_moved=has_moved)


def use_submission(
    session: Session,
    event: Event,
    registration: Registration,
    repeat: SubmissionRow,
    *,
    now: datetime,
) -> None:
    """Take over the names, answers, dates and language of a repeated submission.

    Its boxes are not taken over: whoever typed them need not be the owner of the address. Neither
    does the receipt that made the registration speak for it any more.

    Raises:
        DatesClosed: a date that is new takes nobody now.
    """
    answers = answers_from_json(repeat.answers)
    # First: what is written to them about the rest is in its language.
    settle_repeat(session, registration, repeat, now=now)
    has_moved = _move_places(session, event, registration, answers, now)
    change_answers(
        session,
        registration,
        family_name=repeat.family_name,
        given_name=repeat.given_name,
        answers=answers,
        form_version_id=repeat.form_version_id,
        now=now,
    )
    _follow(session, event, registration, now, has_moved=has_moved)


def settle_repeat(
    session: Session, registration: Registration, repeat: SubmissionRow, *, now: datetime
) -> None:
    """Note that its owner has seen and decided on a repeated submission, and take its language."""
    if registration.locale != repeat.locale:
        registration.locale, registration.updated_at = repeat.locale, now
        registration_index.mark(session, registration.id)
    repeat.outcome = Outcome.USED
    _supersede(session, registration)


def write_version(registration: Registration) -> str:
    """Return a text that differs after every change of a registration."""
    return registration.updated_at.isoformat()


def _move_places(
    session: Session,
    event: Event,
    registration: Registration,
    answers: Mapping[str, Answer],
    now: datetime,
) -> bool:
    """Take and give back places of dates; return whether they are others than before."""
    if not takes_choice(event):
        return False
    before, after = set(read_chosen(session, registration)), set(list_chosen_ids(answers))
    if before == after:
        return False
    if registration.status in HOLDS_SEAT:
        ahead = read_ahead(session, event, now=now)
        if not after - before <= ahead.ids - ahead.full:
            raise DatesClosed
        count_places(session, event, before - after, by=-1)
        count_places(session, event, after - before, by=1)
    return True


def _list_edits(
    session: Session, registration: Registration, now: datetime
) -> list[RegistrationChange]:
    """List the changes of a day to names and answers, the first one first."""
    return [
        change
        for change in registrations.list_changes(session, registration.id)
        if change.action == ANSWERS and change.changed_at > now - DAY
    ]


def _check_moves(
    session: Session,
    registration: Registration,
    answers: Mapping[str, Answer],
    changes: Sequence[RegistrationChange],
) -> None:
    if set(read_chosen(session, registration)) == set(list_chosen_ids(answers)):
        return
    moves = [c for c in changes if _get_dates(c.before) != _get_dates(c.after)]
    if len(moves) >= MAX_DATE_CHANGES_A_DAY:
        raise ChangedOften(MAX_DATE_CHANGES_A_DAY, moves, is_of_dates=True)


def _get_dates(side: Mapping[str, object]) -> object:
    stored = side.get("answers")
    return stored.get(DATES) if isinstance(stored, dict) else None


def _follow(
    session: Session,
    event: Event,
    registration: Registration,
    now: datetime,
    *,
    has_moved: bool,
    may_wait: bool = False,
) -> None:
    """Tell who comes to other dates, and do what may be possible now.

    A worker has Zoom follow, and tries again where Zoom refused the person under their former name.
    Who waits may move up: to a place on a date that was given back, or because they chose a date
    where there is one.
    """
    if registration.status == Status.APPROVED and has_moved:
        request_sync(session, registration, now=now)
        request_mail(session, MailName.DATES, registration, may_wait=may_wait, now=now)
    if takes_choice(event):
        fill_free_seats(session, event, now=now)
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    is_refused = registrant is not None and registrant.delivery == Delivery.REFUSED
    if is_refused and registration.status == Status.APPROVED:
        request_sync(session, registration, now=now)


def _supersede(session: Session, registration: Registration) -> None:
    created = submissions.get_creating_submission(session, registration.id)
    if created is not None:
        created.outcome = Outcome.SUPERSEDED
