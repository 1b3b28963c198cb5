"""What becomes of whom Zoom refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from services import deliveries, kept_dates, place_signs, zoom_closings, zoom_refusals
from services.chosen_dates import ZoomDates
from services.deliveries import Delivery, Step, WrongRegistrant
from services.fault_points import fault_point
from services.mails import CONFIRM_WITHIN, MailName, knows_of_refusal, request_mail
from storage import events, jobs
from storage.jobs import ClaimedJob
from storage.models import Event, Registration, ZoomRegistrant
from storage.session import Database
from zoom_client import MeetingClosed, ZoomError

from . import endings

_OF_INTEREST = (Step.ADD, Step.APPROVE, Step.READ)
"""Steps on the way in: whom Zoom refuses them is told."""

log = logging.getLogger(__name__)


class Refusals:
    """Tells whether a refusal is about one person or everybody, and puts people aside."""

    def __init__(self, database: Database, *, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def judge(self, job: ClaimedJob, step: Step, error: ZoomError) -> ZoomError:
        """Count a refusal in unknown words; return the error as which it is to be handled."""
        if step not in _OF_INTEREST or not zoom_refusals.is_unknown(error):
            return error
        now = self._read_clock()
        with self._database.write() as session:
            _, _, registrant = deliveries.read_for_step(session, job.payload["registration_id"])
            is_last_word = step is not Step.ADD or not endings.is_doubtful(error, registrant)
            judged = zoom_refusals.judge(
                session, registrant, error, is_last_word=is_last_word, now=now
            )
            endings.keep_lease(session, job, now)
        return judged

    def put_aside(
        self,
        job: ClaimedJob,
        step: Step,
        event: Event,
        error: ZoomError | WrongRegistrant,
        *,
        dates: ZoomDates | None,
        asked_at: datetime,
    ) -> None:
        """Put aside what waiting will not mend, and tell the person once.

        Where Zoom takes nobody more the form closes by the same transaction. Who was refused
        further dates of a series is added for the former ones instead.
        """
        fault_point("before_refusal")
        now, reason, is_closing = self._read_clock(), endings.describe(error), False
        with self._database.write() as session:
            event = events.lock_event(session, event.id)  # goes before registrations
            _, registration, registrant = deliveries.read_for_step(
                session, job.payload["registration_id"]
            )
            is_news = not knows_of_refusal(session, registration)
            if isinstance(error, WrongRegistrant):
                deliveries.record_unsure(registrant, now=now)
            else:
                deliveries.end_add_without_effect(registrant, now=now)
            full = dates.wanted if dates else None
            if dates and kept_dates.may_go_back_to_dates(registrant, step, dates, error):
                full = dates.wanted.difference(registrant.kept_dates or ())
                _tell_of_waiting(session, registration, registrant, dates, now)
                registrant.refused_dates = sorted(dates.wanted)
                endings.return_to_dates(session, job, registrant, reason, now)
            else:
                kept_dates.forget(registrant)
                problem = type(error).__name__
                deliveries.record_problem(registrant, Delivery.REFUSED, problem, now=now)
                if is_news and step in _OF_INTEREST:
                    request_mail(session, MailName.REFUSED, registration, now=now)
                session.flush()
                jobs.park(session, job, reason=reason, now=now)
            place_signs.note_ended(session, event, now=now)
            if isinstance(error, MeetingClosed):
                is_closing = zoom_closings.close_form(
                    session, event, error, dates=full, asked_at=asked_at, now=now
                )
        if is_closing:
            log.error("zoom takes nobody more", extra={"event": event.slug, "reason": reason})


def _tell_of_waiting(
    session: Session,
    registration: Registration,
    registrant: ZoomRegistrant,
    dates: ZoomDates,
    now: datetime,
) -> None:
    """Tell somebody, once, that Zoom has no place on further dates that they want."""
    if registrant.refused_dates != sorted(dates.wanted):
        # By then they are mostly added for the others.
        at = now + CONFIRM_WITHIN
        request_mail(session, MailName.DATES, registration, run_at=at, now=now)
