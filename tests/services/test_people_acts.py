"""What an organizer does about one person."""

import pytest

from services.deliveries import Delivery
from services.events import LinkPolicy
from services.people_acts import Act, ActResult, act_on
from services.registrations import register
from storage import mails, registrations, zoom_registrants
from tests import factories
from tests.factories import NOW


@pytest.mark.parametrize(
    ("delivery", "word"), [(Delivery.REGISTERED, "approved"), (Delivery.REFUSED, "refused")]
)
def test_mail_that_is_sent_again_is_the_one_that_holds(database, delivery, word):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(event)
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        person = registrations.get_registration(session, row.registration_id)
        zoom_registrants.get_zoom_registrant(session, person.id).delivery = delivery

        assert act_on(session, event, person, Act.RESEND, now=NOW) is ActResult.DONE

        assert mails.list_mails(session, person.id)[-1].name == word
