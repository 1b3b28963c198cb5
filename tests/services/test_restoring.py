"""What a restore does about organizers: nothing that ended since may let anybody in again."""

from services.access_links import LinkPurpose, add_link, find_link
from services.accounts import ask_for_password_link
from services.browsers import begin, find_member
from services.event_editing import cancel_event
from services.event_tasks import do_some
from services.events import LinkPolicy
from services.keys import KeyRing
from services.mail_proofs import ask_by_mail, waits_for_button
from services.people_acts import Act
from services.people_imports import begin_import
from services.people_tasks import do_next, start_task
from services.registrations import register
from services.restoring import make_safe
from services.submissions import Doubt
from services.tokens import Purpose, TokenSigner
from storage import organizers, people_imports, people_tasks
from storage.models import Job, Mail, OrganizerMail, SubmissionRow
from tests import factories
from tests.dashboard import make_membership
from tests.factories import NOW

KEYS = KeyRing([b"k" * 32])


def test_sessions_links_and_their_mails_end(database):
    signer = TokenSigner(KEYS)
    with database.write() as session:
        made = make_membership(session, email="hanako@example.com")
        organizer = organizers.get_organizer(session, made.organizer_id)
        cookie = begin(session, KEYS, organizer, device="", now=NOW)
        link = add_link(session, LinkPurpose.ENTER, organizer_id=organizer.id, now=NOW)
        token = signer.make(Purpose.ACCESS, link.public_id)
        ask_for_password_link(session, organizer.email, locale="ja", now=NOW)
    with database.read() as session:
        assert find_member(session, KEYS, cookie, now=NOW) is not None
        assert find_link(session, signer, token, now=NOW) is not None

    with database.write() as session:
        make_safe(session, now=NOW)

    with database.read() as session:
        assert find_member(session, KEYS, cookie, now=NOW) is None
        assert find_link(session, signer, token, now=NOW) is None
        assert [mail.state for mail in session.query(OrganizerMail)] == ["dropped"]


def test_word_of_a_cancelled_event_may_have_gone_since_and_is_held(database):
    with database.write() as session:
        event = factories.make_event(session)
        register(session, event, factories.make_submission(event), policy=LinkPolicy.SHOW, now=NOW)
        cancel_event(session, event, now=NOW)

    with database.write() as session:
        make_safe(session, now=NOW)
        assert not do_some(session, event.id, now=NOW)

    with database.read() as session:
        states = [(mail.name, mail.state) for mail in session.query(Mail).order_by(Mail.id)]
    assert states == [("confirmation", "held"), ("event_cancelled", "held")]


def test_mail_with_a_button_may_have_gone_since_and_is_not_sent_again(database):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(event)
        where = {"event": event, "submission": submission, "is_limited": False}
        asked = ask_by_mail(session, KEYS, "192.0.2.1", **where, now=NOW)

    with database.write() as session:
        make_safe(session, now=NOW)

    with database.read() as session:
        states = {job.kind: job.state for job in session.query(Job)}
        assert states.pop("proof_over") == "ready"
        assert states == {"proof_mail": "done", "held": "ready"}, "the organizer hears of it"
        row = session.get(SubmissionRow, asked.id)
        assert (row.held_for, waits_for_button(row, now=NOW)) == (Doubt.MAIL_FAILED, True)


def test_tasks_of_before_end_as_they_may_have_gone_on_since(database):
    with database.write() as session:
        event = factories.make_event(session)
        taken = register(
            session, event, factories.make_submission(event), policy=LinkPolicy.SHOW, now=NOW
        )
        ids = [taken.registration_id]
        task = start_task(session, event, Act.RESEND, ids, by=None, now=NOW)
        table = begin_import(session, event, b"email", file_name="people.csv", locale="ja", now=NOW)

    with database.write() as session:
        make_safe(session, now=NOW)
        assert not do_next(session, task.id, by=None, now=NOW)

    with database.read() as session:
        assert people_tasks.get_task_by_id(session, task.id).done == 0
        assert people_imports.get_import_by_id(session, table.id).state == "done"
