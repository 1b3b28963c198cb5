"""Who agreed to be named to a recipient, and who has to be told, on both databases."""

from datetime import timedelta

from services.events import LinkPolicy
from services.mails import MailName, request_mail
from services.questions import DATES, Answer, ConsentKind
from services.registrations import register
from services.submissions import ConsentGiven
from storage import provisions, registration_lists, registrations
from storage.models import Mail
from tests import factories
from tests.factories import NOW

BOX = "provision_1"
LATER = NOW + timedelta(hours=1)


def add(session, event, name, *, is_given, date="1"):
    answers = {DATES: Answer((date,))}
    box = ConsentGiven(BOX, ConsentKind.PROVISION, "同意する", is_given)
    submission = factories.make_submission(
        event, email=f"{name}@example.com", answers=answers, consents=(box,)
    )
    register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    return registrations.get_registration_by_email_key(session, event.id, f"{name}@example.com")


def test_newest_word_counts_and_what_is_given_is_kept_of_each_person(database):
    with database.write() as session:
        event = factories.make_event(session)
        people = [add(session, event, name, is_given=name != "c") for name in "abc"]
        evidence = registrations.list_consents(session, people[1].id)[0]
        row = {c.name: getattr(evidence, c.name) for c in evidence.__table__.c if c.name != "id"}
        registrations.add_consents(session, [row | {"is_given": False}])
        agreed = provisions.list_who_agreed(session, event.id, BOX)
        assert agreed == [people[0].id]
        given = {"question_id": BOX, "recipient": "株式会社みほん", "items": ["氏名"], "author": ""}
        provisions.add_provision(session, event.id, registration_ids=agreed, now=NOW, **given)
    with database.read() as session:
        of_people = [provisions.list_provisions_of(session, person.id) for person in people]
    assert [[record.recipient for record in found] for found in of_people] == [
        *(["株式会社みほん"], [], [])
    ]


def test_who_chose_a_changed_date_is_told_once(database):
    with database.write() as session:
        event = factories.make_event(session)
        first, second = (add(session, event, n, is_given=True, date=n) for n in ("1", "2"))

        def list_untold(dates):
            return registration_lists.list_to_tell_of_times(
                session,
                event.id,
                since=LATER,
                came_before=LATER,
                now=LATER,
                statuses=["approved"],
                dates=dates,
                mail_name=MailName.DATES,
                limit=9,
            )

        assert list_untold(["1"]) == [first]
        assert list_untold(None) == [first, second]
        request_mail(session, MailName.DATES, first, now=LATER)
        assert list_untold(["1"]) == []

        request_mail(session, MailName.EVENT_CANCELLED, second, now=LATER)
        session.query(Mail).filter_by(name="event_cancelled").update({"state": "failed"})

        def list_failed():
            return registration_lists.list_with_failed_mail(
                session, event.id, mail_name=MailName.EVENT_CANCELLED
            )

        assert list_failed() == [second]
        second.email = ""
        assert list_failed() == [], "who was erased has no address any more"
