"""Zoom's REST API for meetings, webinars and the people registered for them.

Every method is one call, and those that list are one for each page. A call is bounded in all by
the client's deadline and raises the errors of `zoom_client.errors`; nothing here tries again, but
that a token which is refused, or lacks a scope, is replaced once. After ZoomOutcomeUnknown from a
write, look before asking again: Zoom counts three adds a day for each address.

Source of calls and shapes: Zoom's API description, snapshot of 2026-08-09.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Self

from outbound import Deadline, HttpPool
from zoom_client import answers, bodies, limits
from zoom_client.account import Account
from zoom_client.models import (
    ALL_STATUSES,
    AddedRegistrant,
    Instance,
    Kind,
    Meeting,
    MeetingDraft,
    MeetingPatch,
    MeetingSummary,
    NewRegistrant,
    Participant,
    Questions,
    Registrant,
    RegistrantAction,
    RegistrantRef,
    RegistrantStatus,
    User,
)
from zoom_client.pacing import Budget, Label, Unlimited
from zoom_client.scopes import is_report_granted
from zoom_client.token import Credentials, TokenStore


def _read_clock() -> datetime:
    return datetime.now(UTC)


class ZoomClient:
    """Calls Zoom for one account; threads may share it.

    `deadline_seconds` bounds a whole call, with the name look-up, a new token and the last byte of
    the answer. Without `pool` the client makes its own; give all clients of a process one. `budget`
    is asked before each request, and waiting for it counts towards no deadline. `now` is the clock
    that decides about tokens and `retry_after`. Addresses begin with https, on this machine also
    with http, else ValueError.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        token_store: TokenStore,
        api_url: str = "https://api.zoom.us/v2",
        oauth_url: str = "https://zoom.us",
        pool: HttpPool | None = None,
        budget: Budget | None = None,
        deadline_seconds: float = 10.0,
        now: Callable[[], datetime] = _read_clock,
    ) -> None:
        self._account = Account(
            credentials,
            token_store=token_store,
            api_url=api_url,
            oauth_url=oauth_url,
            pool=pool or HttpPool(),
            budget=budget or Unlimited(),
            deadline_seconds=deadline_seconds,
            now=now,
        )

    def within(self, deadline: Deadline) -> Self:
        """Return this client with all calls together bound by one deadline, their waits included.

        Calls raise ZoomUnreachable once it has passed.
        """
        other = copy(self)
        other._account = self._account.within(deadline)
        return other

    def get_meeting(self, kind: Kind, meeting: int | str) -> Meeting:
        """Read a meeting or webinar by id or UUID; WrongKind if it is the other."""
        path = f"/{kind}s/{bodies.quote_uuid(str(meeting))}"
        return self._account.ask("GET", path, partial(answers.read_meeting, kind))

    def list_meetings(
        self, kind: Kind, host: str, *, listing: str = "scheduled"
    ) -> Iterator[MeetingSummary]:
        """Walk through a host's meetings or webinars, all pages.

        `host` is an address or user id. `listing`, for meetings: scheduled, live, upcoming,
        upcoming_meetings, previous_meetings; for webinars: scheduled, upcoming. Zoom leaves out
        instant and expired ones, and what lies more than six months away.
        """
        path = f"/users/{_quote_host(host)}/{kind}s"
        read = partial(answers.read_meeting_summary, kind)
        yield from self._account.walk(path, f"{kind}s", read, {"type": listing})

    def create_meeting(self, kind: Kind, host: str, draft: MeetingDraft) -> Meeting:
        """Create a meeting or webinar; counts to the host's 100 creates and updates a day."""
        limits.check_meeting(draft)
        return self._account.ask(
            "POST",
            f"/users/{_quote_host(host)}/{kind}s",
            partial(answers.read_meeting, kind),
            body=bodies.write_meeting(kind, draft),
            host=host,
        )

    def update_meeting(
        self, kind: Kind, meeting_id: int, patch: MeetingPatch, *, host: str = ""
    ) -> None:
        """Change a meeting or webinar; counts to the 100 creates and updates a day of `host`.

        Read it again afterwards: Zoom answers 204 and drops a change of `approval_type` where
        registration is not possible (no fixed time, or no start in the future).
        """
        limits.check_meeting(patch)
        self._account.send(
            "PATCH",
            f"/{kind}s/{meeting_id}",
            body=bodies.write_meeting(kind, patch),
            host=host,
        )

    def add_registrant(
        self,
        kind: Kind,
        meeting_id: int,
        person: NewRegistrant,
        *,
        auto_approve: bool = False,
        occurrence_ids: Sequence[str] = (),
    ) -> AddedRegistrant:
        """Register a person; counts to the address's three adds a day.

        `auto_approve` lets the person in where approval is manual; Zoom has it for meetings only,
        so a webinar's registrant stays pending until `set_registrant_status`. An address that is
        registered already is answered with the link it has.
        """
        limits.check_registrant(person)
        return self._account.ask(
            "POST",
            f"/{kind}s/{meeting_id}/registrants",
            answers.read_added_registrant,
            params={"occurrence_ids": ",".join(occurrence_ids)} if occurrence_ids else {},
            body=bodies.write_registrant(kind, person, auto_approve=auto_approve),
        )

    def add_registrants(
        self,
        kind: Kind,
        meeting_id: int,
        people: Sequence[NewRegistrant],
        *,
        auto_approve: bool = False,
        confirmation_email: bool = False,
    ) -> list[AddedRegistrant]:
        """Register up to 30 people with e-mail and name alone.

        Works for meetings of type 2 and webinars of type 5, else BatchNotSupported. Zoom's mail to
        them has a switch of its own, `confirmation_email`, for meetings. What Zoom answers where a
        part fails is not documented: who is missing from the result has to be looked up.
        """
        _check_number(people)
        for person in people:
            limits.check_registrant(person)
        return self._account.ask(
            "POST",
            f"/{kind}s/{meeting_id}/batch_registrants",
            answers.read_added_registrants,
            body=bodies.write_batch(
                kind, people, auto_approve=auto_approve, confirmation_email=confirmation_email
            ),
            label=Label.HEAVY,
        )

    def get_registrant(self, kind: Kind, meeting_id: int, registrant_id: str) -> Registrant:
        """Read a registrant, or raise RegistrantNotFound."""
        path = f"/{kind}s/{meeting_id}/registrants/{bodies.quote_segment(registrant_id)}"
        return self._account.ask("GET", path, answers.read_registrant)

    def list_registrants(
        self,
        kind: Kind,
        meeting_id: int,
        *,
        statuses: Sequence[RegistrantStatus] = ALL_STATUSES,
    ) -> Iterator[Registrant]:
        """Walk through the registrants, all pages of one status after the other.

        The order is Zoom's own. Someone whose status changes during the walk may come twice or not
        at all.
        """
        path = f"/{kind}s/{meeting_id}/registrants"
        for status in statuses:
            params = {"status": status.value}
            read = partial(answers.read_registrant, listed_as=status)
            yield from self._account.walk(path, "registrants", read, params)

    def set_registrant_status(
        self,
        kind: Kind,
        meeting_id: int,
        action: RegistrantAction,
        people: Sequence[RegistrantRef],
    ) -> None:
        """Approve, cancel or deny up to 30 people; counts to each one's ten changes a day.

        Success is no proof: Zoom has answered 204 and changed nothing. The link of an approved
        person comes from `get_registrant`. Someone already inside stays inside.
        """
        _check_number(people)
        self._account.send(
            "PUT",
            f"/{kind}s/{meeting_id}/registrants/status",
            body={
                "action": action.value,
                "registrants": [{"id": person.id, "email": person.email} for person in people],
            },
            label=Label.MEDIUM,
        )

    def delete_registrant(
        self, kind: Kind, meeting_id: int, registrant_id: str, *, occurrence_id: str | None = None
    ) -> None:
        """Remove a registrant, or raise RegistrantNotFound.

        With `registration_type` 2 or 3 Zoom wants the `occurrence_id`.
        """
        self._account.send(
            "DELETE",
            f"/{kind}s/{meeting_id}/registrants/{bodies.quote_segment(registrant_id)}",
            params={"occurrence_id": occurrence_id} if occurrence_id else {},
        )

    def get_questions(self, kind: Kind, meeting_id: int) -> Questions:
        """Read what Zoom's form asks; answers are matched to these titles letter for letter."""
        path = f"/{kind}s/{meeting_id}/registrants/questions"
        return self._account.ask("GET", path, answers.read_questions)

    def update_questions(self, kind: Kind, meeting_id: int, questions: Questions) -> None:
        """Replace what Zoom's form asks. Send the whole set, and read it again afterwards."""
        path = f"/{kind}s/{meeting_id}/registrants/questions"
        self._account.send("PATCH", path, body=bodies.write_questions(questions))

    def get_user(self, host: str) -> User:
        """Read the user with this address or id, or raise HostNotFound."""
        return self._account.ask("GET", f"/users/{_quote_host(host)}", answers.read_user)

    def list_users(self) -> Iterator[User]:
        """Walk through the account's active users, who may be hosts."""
        params = {"status": "active"}
        yield from self._account.walk("/users", "users", answers.read_user, params)

    def list_instances(self, kind: Kind, meeting_id: int) -> list[Instance]:
        """List how often a meeting or webinar was held, the oldest first; each time has ended.

        None of them, or RecordNotFound, where it was not held yet; Zoom forgets them after 15
        months.
        """
        return self._account.ask(
            "GET",
            f"/past_{kind}s/{meeting_id}/instances",
            partial(answers.read_instances, kind),
            label=Label.MEDIUM if kind is Kind.MEETING else Label.LIGHT,
        )

    def list_participants(
        self, kind: Kind, uuid: str, *, page_size: int = limits.PAGE_MAX
    ) -> Iterator[Participant]:
        """Walk through who came to one instance, a row for each stay, all pages.

        Where the app may read reports the rows come from there, else from the list of past
        participants, which names no breakout rooms. RecordNotFound soon after the end, and rows
        that are not `is_ready`, say that Zoom is still at it.
        """
        # Of the list only its answer is described as taking `include_fields`.
        path = f"/past_{kind}s/{bodies.quote_uuid(uuid)}/participants"
        label = Label.MEDIUM
        if is_report_granted(self._account.get_granted_scopes(), kind):
            path = f"/report/{kind}s/{bodies.quote_uuid(uuid)}/participants"
            label = Label.HEAVY
        yield from self._account.walk(
            path,
            "participants",
            answers.read_participant,
            {"include_fields": "registrant_id"},
            page_size=page_size,
            label=label,
        )

    def scopes(self) -> frozenset[str]:
        """Return what the app may do now, which only a new token tells."""
        return self._account.get_scopes()


def _quote_host(host: str) -> str:
    if host == "me":
        raise ValueError("Server-to-Server apps have no `me`: name the host")
    return bodies.quote_segment(host)


def _check_number(people: Sequence[object]) -> None:
    if not 1 <= len(people) <= limits.PEOPLE_MAX:
        raise ValueError(f"Zoom takes 1 to {limits.PEOPLE_MAX} people at once")
