"""Dates that somebody keeps at Zoom while it has no place on further ones that they want.

Whoever wants further dates leaves all and is added anew. Where Zoom then refuses them for want of a
place they are added for those that they had, and wait with these until its form takes people for
the others again.
"""

from __future__ import annotations

from dataclasses import replace

from storage.models import Event, Registration, ZoomRegistrant
from zoom_client import AtCapacity

from .chosen_dates import ZoomDates
from .deliveries import Delivery, Step
from .full_dates import is_closed, list_full
from .registrations import Status

WAITS = "KeepsDates"
"""What `ZoomRegistrant.problem` says of who waits for further dates, with the former ones.

Their job's reason begins with it as well, also where they wait for Zoom's next day: nobody is told
of them as of people without a link.
"""


def begin_change_of_dates(registrant: ZoomRegistrant, dates: ZoomDates) -> None:
    """Remember, before somebody leaves all dates, on which of them they were that they want still.

    A worker may die half-way, and find only some of them left.
    """
    registrant.kept_dates = sorted(dates.wanted & list_held(registrant)) or None


def list_held(registrant: ZoomRegistrant) -> set[str]:
    """Return the dates that somebody had at Zoom when it was told of them last."""
    return {*(registrant.occurrence_ids or ()), *(registrant.kept_dates or ())}


def limit(
    event: Event, registration: Registration, registrant: ZoomRegistrant, dates: ZoomDates | None
) -> ZoomDates | None:
    """Return the dates without those that Zoom is sure to refuse; None if there are none of these.

    It is as sure as for everybody else: while the event takes nobody more for one of them.
    """
    if dates is None or not event.closed_by_zoom or registration.status != Status.APPROVED:
        return None
    refused, kept = registrant.refused_dates, dates.wanted.intersection(registrant.kept_dates or ())
    if not refused or not kept or not dates.wanted.issuperset(refused):
        return None
    if not is_closed(event) and list_full(event).isdisjoint({*refused} - kept):
        return None
    return replace(dates, wanted=kept)


def may_go_back_to_dates(
    registrant: ZoomRegistrant, step: Step, dates: ZoomDates, error: Exception
) -> bool:
    """Tell whether somebody whom Zoom refused can be added for the dates that they had."""
    if step is not Step.ADD or not isinstance(error, AtCapacity):
        return False
    kept = dates.wanted.intersection(registrant.kept_dates or ())
    return bool(kept) and kept != dates.wanted


def has_link(registrant: ZoomRegistrant) -> bool:
    """Tell whether somebody waits for further dates with the link for those that they had."""
    return registrant.refused_dates is not None and registrant.join_url is not None


def has_all(registrant: ZoomRegistrant) -> bool:
    """Tell whether Zoom has somebody on the further dates too, for which it had no place before."""
    refused, has = {*(registrant.refused_dates or ())}, {*(registrant.occurrence_ids or ())}
    return registrant.delivery == Delivery.REGISTERED and bool(refused) and refused <= has


def forget(registrant: ZoomRegistrant) -> None:
    """Forget all of it, as Zoom has what is wanted, or refuses the former dates too."""
    registrant.kept_dates = registrant.refused_dates = None
