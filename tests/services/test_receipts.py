"""What a receipt and its link may show, to whom, and what the code from the mail opens."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from services.codes import CODE_TRIES, make_code
from services.deliveries import Delivery
from services.events import LinkPolicy
from services.joining import is_early, read_join_state, record_click
from services.keys import KeyRing
from services.receipts import (
    CodeRefused,
    can_correct_address,
    get_live_submission,
    read_receipt_state,
    resend,
    use_code,
)
from services.registration_changes import cancel, correct_address, deny
from services.registrations import Status, drop, hold, register
from services.submissions import Doubt
from storage import events, mails, registrations, submissions, zoom_registrants
from storage.models import Mail
from storage.submissions import Receipt, get_receipt
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import SECRET

KEYS = KeyRing([SECRET * 2])
SHOW, CODE, MAIL = LinkPolicy.SHOW, LinkPolicy.CODE, LinkPolicy.MAIL


def send(session, event, *, policy=SHOW, now=NOW, **members):
    return register(
        session, event, factories.make_submission(event, **members), policy=policy, now=now
    )


def get_person(session, row):
    return registrations.get_registration(session, row.registration_id)


def read_code(row):
    return make_code(KEYS, row.public_id, row.code_version)


def enter(session, row, typed, *, now=NOW):
    use_code(session, row, typed, keys=KEYS, now=now)


def read_state(session, row, policy, *, now=NOW):
    event = events.need_event(session, row.event_id)
    receipt = Receipt(
        row,
        get_person(session, row) if row.registration_id else None,
        events.get_head(session, event.slug),
        has_rival=submissions.has_rival(session, row),
    )
    return read_receipt_state(session, receipt, policy=policy, now=now)


@pytest.mark.parametrize("other", [None, {"given_name": "次郎"}, {}], ids=["none", "rival", "twin"])
def test_receipt_knows_of_a_rival(database, other):
    with database.write() as session:
        event = factories.make_event(session)
        send(session, event, email="alone@example.com")
        row = send(session, event)
        if other is not None:
            send(session, event, **other)

    with database.read() as session:
        receipt = get_receipt(session, row.public_id)

        assert (receipt.submission.id, receipt.registration.id) == (row.id, row.registration_id)
        assert receipt.event.slug == event.slug
        assert receipt.has_rival is bool(other)
        assert submissions.has_rival(session, receipt.submission) is bool(other)


def look(session, row, policy, *, now=NOW):
    state = read_state(session, row, policy, now=now)
    return state.shown, state.link, state.may_change


def test_receipt_of_a_new_person_shows_the_link_under_show_alone(session):
    event = factories.make_event(session)
    row = send(session, event)

    assert look(session, row, SHOW) == ("confirmed", "button", True)
    assert look(session, row, CODE) == ("mailed", "code", False)
    assert look(session, row, MAIL) == ("mailed", "mail", False)


@pytest.mark.parametrize("policy", [CODE, MAIL])
def test_receipts_of_known_and_new_addresses_are_alike(session, policy):
    event = factories.make_event(session)
    rows = [
        send(session, event, email=email, policy=policy)
        for email in ("a@example.com", "b@example.com", "c@example.com")
    ]
    cancel(session, event, get_person(session, rows[1]), actor="person", now=NOW)
    deny(session, event, get_person(session, rows[2]), actor="organizer", now=NOW)
    again = [send(session, event, email=row.email, policy=policy) for row in rows]
    new = send(session, event, email="new@example.com", policy=policy)

    states = {look(session, row, policy) for row in [*rows, *again, new]}
    assert states == {("mailed", policy.value, False)}


def test_receipt_of_a_known_address_shows_no_link_under_show(session):
    event = factories.make_event(session)
    send(session, event)

    assert look(session, send(session, event), SHOW) == ("mailed", "mail", False)


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"approval": "manual"}, ("pending", "none")),
        ({"capacity": 0, "has_waitlist": True}, ("waitlisted", "none")),
    ],
)
@pytest.mark.parametrize("policy", [SHOW, CODE])
def test_who_has_no_place_sees_the_state_and_no_link(session, members, shown, policy):
    event = factories.make_event(session, **members)
    row = send(session, event, policy=policy)
    if policy is CODE:
        enter(session, row, read_code(row))

    assert look(session, row, policy)[:2] == shown


def test_place_in_the_queue_is_counted(session):
    event = factories.make_event(session, capacity=0, has_waitlist=True)
    rows = [send(session, event, email=f"{name}@example.com") for name in "abc"]
    positions = [read_state(session, row, SHOW).waitlist_position for row in rows]

    assert positions == [1, 2, 3]


@pytest.mark.parametrize("policy", [SHOW, CODE, MAIL])
def test_receipt_of_an_event_that_is_over_says_that_alone(session, policy):
    event = factories.make_event(session)
    row = send(session, event, policy=policy)
    held = send(session, event, email="held@example.com", is_suspicious=True)
    after = event.starts_at + timedelta(hours=1)

    assert look(session, row, policy, now=after) == ("ended", "none", False)
    event.status = "cancelled"
    session.flush()
    states = {
        look(session, shown, policy, now=now) for shown in (row, held) for now in (NOW, after)
    }
    assert states == {("event_cancelled", "none", False)}


def test_held_submission_says_only_that(session):
    row = send(session, factories.make_event(session), is_suspicious=True)

    assert look(session, row, SHOW) == ("held", "none", False)
    with pytest.raises(CodeRefused):
        enter(session, row, "000000")


@pytest.mark.parametrize("doubt", [Doubt.TRAP, Doubt.MAIL_PROOF])
@pytest.mark.parametrize("hours", [1, 25])
def test_receipt_says_once_the_submission_was_put_away(session, doubt, hours):
    event = factories.make_event(session)
    row = hold(session, event, factories.make_submission(event), doubt, now=NOW)
    drop(session, row)

    state = read_state(session, row, SHOW, now=NOW + timedelta(hours=hours))

    assert (state.shown, state.link) == ("dropped", "none")


def test_receipt_leads_to_the_personal_page_until_the_owner_comes_by_mail(session):
    event = factories.make_event(session)
    row = send(session, event)
    record_click(session, event, get_person(session, row), came_by_mail=True, now=NOW)

    assert look(session, row, SHOW) == ("confirmed", "button", False)


@pytest.mark.parametrize("write", [str, "{:>8} ".format, lambda code: f"{code[:3]}-{code[3:]}"])
def test_right_code_reveals_the_link_however_it_is_typed(session, write):
    event = factories.make_event(session)
    row = send(session, event, policy=CODE)
    enter(session, row, write(read_code(row)))

    assert look(session, row, CODE)[:2] == ("confirmed", "button")
    assert get_person(session, row).proven_at == NOW


def test_code_in_full_width_digits_works(session):
    row = send(session, factories.make_event(session), policy=CODE)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in read_code(row))
    enter(session, row, wide)

    assert row.code_used_at == NOW


def test_code_of_one_receipt_opens_no_other(session):
    event = factories.make_event(session)
    mine, theirs = [send(session, event, policy=CODE) for _ in range(2)]

    with pytest.raises(CodeRefused):
        enter(session, theirs, read_code(mine))


def test_sixth_try_is_refused_even_if_it_is_right(session):
    row = send(session, factories.make_event(session), policy=CODE)
    wrong = f"{(int(read_code(row)) + 1) % 1_000_000:06d}"
    for _ in range(CODE_TRIES):
        with pytest.raises(CodeRefused):
            enter(session, row, wrong)

    with pytest.raises(CodeRefused):
        enter(session, row, read_code(row))


def test_code_is_valid_for_fifteen_minutes(session):
    row = send(session, factories.make_event(session), policy=CODE)

    with pytest.raises(CodeRefused):
        enter(session, row, read_code(row), now=NOW + timedelta(minutes=15, seconds=1))
    enter(session, row, read_code(row), now=NOW + timedelta(minutes=15))


def test_new_code_replaces_the_one_before_and_its_tries(session):
    row = send(session, factories.make_event(session), policy=CODE)
    old = read_code(row)
    submissions.count_try(session, row.id, limit=CODE_TRIES)
    deliver_mails(session)
    resend(session, row, policy=CODE, now=NOW)
    session.flush()
    session.refresh(row)

    assert (row.code_version, row.code_tries) == (2, 0)
    assert read_code(row) != old


def test_resending_stops_quietly_at_the_limit(session):
    row = send(session, factories.make_event(session), policy=CODE)
    for _ in range(5):
        deliver_mails(session)
        resend(session, row, policy=CODE, now=NOW)

    assert row.code_version == 3
    assert len(mails.list_mails(session, row.registration_id)) == 3


@pytest.mark.parametrize("policy", [SHOW, CODE])
def test_who_was_refused_by_zoom_is_sent_that_word_again_within_the_limits(session, policy):
    row = send(session, factories.make_event(session), policy=policy)
    registrant = zoom_registrants.get_zoom_registrant(session, row.registration_id)
    registrant.delivery = Delivery.REFUSED
    for _ in range(5):
        deliver_mails(session)
        resend(session, row, policy=policy, now=NOW)

    names = [mail.name for mail in mails.list_mails(session, row.registration_id)]
    assert names == ["confirmation", "refused", "refused"]


@pytest.mark.parametrize("policy", [MAIL, CODE])
@pytest.mark.parametrize("end", [cancel, deny])
def test_who_has_no_place_any_more_is_sent_that_word_again(session, end, policy):
    event = factories.make_event(session)
    row = send(session, event, policy=policy)
    end(session, event, get_person(session, row), actor="organizer", now=NOW)
    version = row.code_version
    for _ in range(5):
        deliver_mails(session)
        resend(session, row, policy=policy, now=NOW)

    word = {cancel: "cancelled", deny: "denied"}[end]
    names = [mail.name for mail in mails.list_mails(session, row.registration_id)]
    assert names == ["confirmation", word, word]
    assert row.code_version == version


@pytest.mark.parametrize("members", [{}, {"approval": "manual"}])
def test_mail_that_has_not_gone_yet_goes_once(session, members):
    row = send(session, factories.make_event(session, **members))
    deliver_mails(session)
    for _ in range(2):
        resend(session, row, policy=SHOW, now=NOW)

    states = [mail.state for mail in mails.list_mails(session, row.registration_id)]
    assert states == ["sent", "queued"]


def deliver_mails(session):
    session.execute(update(Mail).values(state="sent"))


def test_held_submission_has_nothing_to_resend(session):
    row = send(session, factories.make_event(session), is_suspicious=True)
    resend(session, row, policy=SHOW, now=NOW)

    assert row.code_version == 0


def test_repeated_submission_is_resent_as_such(session):
    event = factories.make_event(session)
    send(session, event)
    row = send(session, event)
    deliver_mails(session)
    resend(session, row, policy=SHOW, now=NOW)

    names = [mail.name for mail in mails.list_mails(session, row.registration_id)]
    assert names == ["confirmation", "repeat"]


def test_corrected_receipt_leads_to_the_newest(session):
    event = factories.make_event(session)
    first = send(session, event, email="a@example.com")
    second = correct(session, event, first, "b@example.com")
    third = correct(session, event, second, "c@example.com")

    assert get_live_submission(session, first).id == third.id
    assert get_live_submission(session, third) is third


def correct(session, event, row, email):
    return correct_address(session, event, row, email=email, email_key=email, policy=SHOW, now=NOW)


@pytest.mark.parametrize(
    ("policy", "is_known", "is_offered"),
    [
        (SHOW, False, True),
        (SHOW, True, False),
        (CODE, False, True),
        (CODE, True, True),
        (MAIL, True, True),
    ],
)
def test_correcting_is_offered_without_telling_who_is_known(session, policy, is_known, is_offered):
    event = factories.make_event(session)
    if is_known:
        send(session, event, policy=policy)
    row = send(session, event, policy=policy)

    assert can_correct_address(session, event, row, policy=policy, now=NOW) is is_offered


class Link:
    """The state of a join link for a person whom Zoom has, as a test changes it."""

    def __init__(self, session, **members):
        self.session = session
        self.event = factories.make_event(session, **members)
        self.row = send(session, self.event)
        self.person = get_person(session, self.row)
        self.registrant = zoom_registrants.get_zoom_registrant(session, self.person.id)
        self.registrant.delivery = Delivery.REGISTERED
        self.registrant.is_new_to_zoom = True
        zoom_registrants.write_join_url(session, self.registrant, "https://zoom.us/w/1?tk=x")

    def read(self, *, screen=True, policy=SHOW, now=NOW):
        return read_join_state(
            self.event,
            self.person,
            self.registrant,
            submission=self.row if screen else None,
            policy=policy,
            now=now,
        )


def test_link_opens_from_the_screen_for_who_is_new_to_zoom(session):
    assert Link(session).read() == "ready"


@pytest.mark.parametrize("is_new", [False, None])
def test_doubt_about_being_new_to_zoom_sends_to_the_mail(session, is_new):
    link = Link(session)
    link.registrant.is_new_to_zoom = is_new

    assert (link.read(), link.read(screen=False)) == ("by_mail", "ready")


@pytest.mark.parametrize("policy", [CODE, MAIL])
def test_link_from_the_screen_needs_the_code_under_other_policies(session, policy):
    link = Link(session)
    assert link.read(policy=policy) == "by_mail"
    link.row.code_used_at = NOW

    assert link.read(policy=policy) == "ready"


def test_link_of_a_repeat_never_opens_from_the_screen(session):
    link = Link(session)
    link.row = send(session, link.event)

    assert link.read() == "by_mail"


def test_link_waits_for_zoom(session):
    link = Link(session)
    zoom_registrants.write_join_url(session, link.registrant, None)

    assert (link.read(), link.read(screen=False)) == ("waiting", "waiting")


@pytest.mark.parametrize(
    "status", [Status.PENDING, Status.WAITLISTED, Status.DENIED, Status.CANCELLED]
)
def test_link_opens_for_approved_people_alone(session, status):
    link = Link(session)
    link.person.status = status

    assert (link.read(), link.read(screen=False)) == (status, status)


def test_link_tells_of_a_refusal_and_of_the_events_end(session):
    link = Link(session)
    link.registrant.delivery = Delivery.REFUSED
    assert link.read() == "refused"
    assert link.read(now=link.event.starts_at + timedelta(minutes=60)) == "ended"
    link.event.status = "cancelled"
    assert link.read() == "event_cancelled"


def test_click_is_counted_and_only_the_mails_proves(session):
    link = Link(session)
    record_click(session, link.event, link.person, came_by_mail=False, now=NOW)
    session.refresh(link.person)
    assert (link.person.join_clicks, link.person.proven_at) == (1, None)

    later = NOW + timedelta(days=1)
    record_click(session, link.event, link.person, came_by_mail=True, now=later)
    session.flush()
    session.refresh(link.person)
    assert (link.person.join_clicks, link.person.proven_at) == (2, later)
    assert link.person.last_clicked_at == later


def test_event_is_early_until_ten_minutes_before(session):
    event = factories.make_event(session)
    start = event.starts_at
    doors = start - timedelta(minutes=10)

    assert [is_early(start, doors - timedelta(seconds=1)), is_early(start, doors)] == [True, False]
