"""Links of people, made once however often they are asked for at once."""

from services.events import LinkPolicy
from services.invitation_links import LinkKind, add_link, ensure_link_of, list_shown, resolve
from services.registrations import register
from storage import invitation_links, registrations
from storage.events import need_event
from tests.factories import NOW, make_event, make_submission
from tests.races import race


def test_person_who_is_asked_for_twice_at_once_gets_one_link(database):
    with database.write() as session:
        event = make_event(session)
        sent = make_submission(event, email="taro@example.com")
        row = register(session, event, sent, policy=LinkPolicy.SHOW, now=NOW)
    url = database.url.render_as_string(hide_password=False)

    def work(one):
        with one.write() as session:
            here = need_event(session, event.id)
            person = registrations.get_registration(session, row.registration_id)
            return ensure_link_of(session, here, person, now=NOW).code

    assert len(set(race(url, work))) == 1


def test_tags_of_the_address_win_over_those_of_the_link(database):
    with database.write() as session:
        event = make_event(session)
        tags = {"utm_source": "mail", "utm_campaign": "may", "utm_medium": "taro@example.com"}
        link = add_link(session, event, LinkKind.CHANNEL, name="5月", tags=tags, now=NOW)
        links = {named.link.code: named for named in list_shown(session, event.id, [])}

        assert resolve({"ref": link.code, "utm_source": "own"}, links) == {
            "ref": "5月",
            "utm_source": "own",
            "utm_campaign": "may",
        }
        assert resolve({"ref": "unknown"}, links) == {"ref": "unknown"}
        assert invitation_links.get_link(session, event.id + 1, link.code) is None
