"""Acting on all whom a filter finds: confirmed by count, done by a worker, each with a result."""

import pytest
from sqlalchemy import select, update

from services.events import LinkPolicy
from services.members import Role
from services.people_acts import Act
from services.people_tasks import do_next, start_task, stop_task
from services.registrations import register
from storage import events, members, people_tasks, registration_index, registrations
from storage.models import Job, PeopleTaskItem, PeopleTaskPart
from tests import factories
from tests.dashboard import make_membership, sign_in
from tests.factories import NOW
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import add, find, list_actions, list_names, make_event


class Died(Exception):
    """The worker is gone in the middle of somebody."""


def register_some(session, count, **members):
    event = factories.make_event(session, approval="manual", **members)
    ids = []
    for number in range(count):
        submission = factories.make_submission(event, email=f"p{number}@example.com")
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        ids.append(row.registration_id)
    return event, ids


def list_statuses(session, ids):
    return [registrations.get_registration(session, key).status for key in ids]


def test_everybody_has_their_turn_and_their_result(database):
    with database.write() as session:
        event, ids = register_some(session, 3)
        task_id = start_task(session, event, Act.APPROVE, ids, by=None, now=NOW).id
        registrations.get_registration(session, ids[1]).status = "cancelled"
    left = True
    while left:
        with database.write() as session:
            left = do_next(session, task_id, by=None, now=NOW)
    with database.read() as session:
        assert list_statuses(session, ids) == ["approved", "cancelled", "approved"]
        assert people_tasks.count_results(session, task_id) == {"done": 2, "cancelled": 1}
        task = people_tasks.get_task_by_id(session, task_id)
        assert (task.done, task.ended_at) == (3, NOW)


def test_what_somebody_else_decides_meanwhile_holds(site):
    public_id, event_id = make_event(site, approval="manual")
    ids = [add(site, event_id, f"y{n}@example.com") for n in range(3)]
    browser = sign_in(site)
    base = f"/organizer/events/{public_id}"
    asked = browser.post_form(f"{base}/people", f"{base}/people/all", {"act": "deny"})
    task = asked.form("お断りする").submit()
    for act, person in (("approve", ids[0]), ("deny", ids[1])):
        browser.post_form(f"{base}/people/{person}", f"{base}/people/{person}", {"act": act})
    site.drain()

    assert [find(site, person).status for person in ids] == ["approved", "denied", "denied"]
    page = browser.open(task.url)
    assert page.text.count("できません：その後、状態が変更されています") == 2, "in sum and by name"


@only_sqlite
@pytest.mark.parametrize(("act", "status"), [("deny", "approved"), ("approve", "approved")])
def test_what_somebody_else_decides_before_it_is_confirmed_holds(site, act, status):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "taro@example.com")
    browser = sign_in(site)
    base = f"/organizer/events/{public_id}"
    chosen = {"act": act, "person": person}
    asked = browser.post_form(f"{base}/people", f"{base}/people", chosen)
    browser.post_form(f"{base}/people/{person}", f"{base}/people/{person}", {"act": "approve"})

    done = asked.form({"deny": "お断りする", "approve": "承認する"}[act]).submit()

    assert find(site, person).status == status
    assert ("その後、状態が変更されています" in done.text) == (act == "deny")


def test_worker_that_dies_has_neither_acted_nor_noted_it(database):
    with database.write() as session:
        event, ids = register_some(session, 2)
        task_id = start_task(session, event, Act.DENY, ids, by=None, now=NOW).id
    with pytest.raises(Died), database.write() as session:
        do_next(session, task_id, by=None, now=NOW)
        session.flush()
        raise Died
    with database.read() as session:
        assert list_statuses(session, ids) == ["pending", "pending"]
    for _ in range(3):
        with database.write() as session:
            do_next(session, task_id, by=None, now=NOW)
    with database.read() as session:
        assert list_statuses(session, ids) == ["denied", "denied"]
        changes = [registrations.list_changes(session, key) for key in ids]
        assert [len(change) for change in changes] == [1, 1]
        assert events.get_counter(session, event.id, events.SEATS) == 0


def test_task_on_very_many_begins_at_once_and_can_be_stopped(database):
    with database.write() as session:
        event, ids = register_some(session, 1)
        many = range(ids[0], ids[0] + 25_000)
        task = start_task(session, event, Act.APPROVE, many, by=None, now=NOW)
        task_id = task.id
        assert session.query(PeopleTaskPart).count() == 7
        task.done = 24_999
        session.flush()
        last = people_tasks.add_next_item(session, task)
        assert last.registration_id == many[-1]
        session.expunge(last)
        task.done = 0
    with database.write() as session:
        assert do_next(session, task_id, by=None, now=NOW)
        stop_task(people_tasks.get_task_by_id(session, task_id), now=NOW)
    with database.write() as session:
        assert not do_next(session, task_id, by=None, now=NOW)
        task = people_tasks.get_task_by_id(session, task_id)
        assert (task.done, task.total, task.ended_at) == (1, 25_000, NOW)
        assert list_statuses(session, ids) == ["approved"]


@pytest.mark.parametrize("change", ["removed", "viewer", "other_events"])
def test_task_ends_with_the_right_of_whoever_asked_for_it(database, change):
    with database.write() as session:
        event, ids = register_some(session, 2)
        member = make_membership(session, Role.APPROVER)
        asker = {"by": member.organizer_id, "now": NOW}
        task_id = start_task(session, event, Act.APPROVE, ids, **asker).id
        assert do_next(session, task_id, **asker)
        if change == "removed":
            members.delete_membership(session, member)
        elif change == "viewer":
            member.role = Role.VIEWER
        else:
            members.set_event_ids(session, member, [factories.make_event(session).id])
        session.flush()
        assert not do_next(session, task_id, **asker)
    with database.read() as session:
        assert list_statuses(session, ids) == ["approved", "pending"]
        assert people_tasks.get_task_by_id(session, task_id).ended_at == NOW


@only_sqlite
def test_searching_locks_nobody_out_and_who_sees_names_leaves_an_entry(site, monkeypatch):
    public_id, event_id = make_event(site, approval="manual")
    people = [add(site, event_id, f"y{n}@example.com") for n in range(2)]
    base = f"/organizer/events/{public_id}"
    browser = sign_in(site)
    is_locked = []

    def list_ids(*arguments):
        is_locked.append(site.database._write_queue.is_taken)
        return find_ids(*arguments)

    find_ids = registration_index.list_ids
    monkeypatch.setattr(registration_index, "list_ids", list_ids)
    assert browser.look("GET", f"{base}/people/export?format=csv").ok
    asked = browser.post_form(f"{base}/people", f"{base}/people/all", {"act": "approve"})
    task = asked.form("承認する").submit().url
    assert is_locked == [False, False]

    assert read_payload(site)["organizer_id"], "the task ends with their right"
    site.drain()
    with site.database.write() as session:
        session.execute(update(PeopleTaskItem).values(result="full"))
    entries = len(list_actions(site))
    assert "data-ready" in browser.look("GET", f"{task}/progress").text
    assert "山田" not in browser.look("GET", f"{task}/progress").text
    assert len(list_actions(site)) == entries
    assert list_names(browser.open(task)) == ["山田 太郎"] * 2
    chosen = {"act": "deny", "person": people[0]}
    browser.post_form(f"{base}/people/{people[0]}", f"{base}/people", chosen)
    assert list_actions(site)[entries:] == ["people_listed", "person_seen", "people_listed"]


def read_payload(site):
    with site.database.read() as session:
        return session.scalars(select(Job.payload).where(Job.kind == "people")).one()


@only_sqlite
def test_stopping_leaves_the_others_alone_and_the_list_shows_what_is_under_way(site):
    public_id, event_id = make_event(site, approval="manual")
    people = [add(site, event_id, f"y{n}@example.com") for n in range(3)]
    browser = sign_in(site, Role.APPROVER)
    base = f"/organizer/events/{public_id}"
    asked = browser.post_form(f"{base}/people", f"{base}/people/all", {"act": "approve"})
    task = asked.form("承認する").submit()
    assert "3件中0件が完了しました" in browser.open(f"{base}/people").text
    stopped = task.form("中止する").submit()
    assert "中止：" in stopped.text and "3件中0件" in stopped.text
    site.drain()
    assert {find(site, person).status for person in people} == {"pending"}
    assert "承認する: " not in browser.open(f"{base}/people").text


@only_sqlite
def test_all_whom_the_filter_finds_are_approved_in_the_background(site):
    public_id, event_id = make_event(site, approval="manual")
    young = [add(site, event_id, f"y{n}@example.com") for n in range(55)]
    older = add(site, event_id, "o@example.com", age="30s")
    site.start_worker()
    browser = sign_in(site, Role.APPROVER)
    base = f"/organizer/events/{public_id}"
    fields = {"act": "approve"}
    asked = browser.post_form(f"{base}/people", f"{base}/people/all?answer:age=20s", fields)
    assert "55人" in asked.text
    assert find(site, young[0]).status == "pending"
    task = asked.form("承認する").submit()
    site.wait_until(lambda: "完了：" in browser.open(task.url).text)
    assert {find(site, person).status for person in young} == {"approved"}
    assert find(site, older).status == "pending"


@only_sqlite
def test_somebody_who_came_meanwhile_is_not_meant(site):
    public_id, event_id = make_event(site, approval="manual")
    add(site, event_id, "a@example.com")
    browser = sign_in(site)
    base = f"/organizer/events/{public_id}"
    asked = browser.post_form(f"{base}/people", f"{base}/people/all", {"act": "deny"})
    late = add(site, event_id, "late@example.com")
    again = asked.form("お断りする").submit()
    assert "2人" in again.text
    assert find(site, late).status == "pending"


@only_sqlite
def test_those_without_success_are_listed_with_the_reason(site):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "a@example.com", family_name="取消")
    with site.database.write() as session:
        event = events.need_event(session, event_id)
        row = registrations.get_registration_by_public_id(session, person)
        row.status = "cancelled"
        task = start_task(session, event, Act.APPROVE, [row.id], by=None, now=site.clock())
        do_next(session, task.id, by=None, now=site.clock())
        public_task = task.public_id
    page = sign_in(site).open(f"/organizer/events/{public_id}/tasks/{public_task}")
    assert list_names(page) == ["取消 太郎"]
    assert "data-rests" in page.response.text, "an open page asks no more"
