"""Members of an organization: inviting, roles, events, removing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from services import accounts, api_keys, memberships
from services.members import Member, Role
from services.memberships import LastOwner
from storage import api_keys as stored_keys
from storage import members, organizations
from storage.models import AuditEntry, Event, Membership
from tests import factories
from tests.dashboard import Dashboard, make_membership, sign_in, sign_in_again
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.mailbox import read_text
from tests.races import count_waiting

MEMBERS = "/organizer/settings/members"
EMAIL = "jiro@example.com"


@pytest.fixture
def owner(site):
    return sign_in(site)


def add_member(site, role, **more):
    with site.database.write() as session:
        made = make_membership(session, role, now=site.clock(), **more)
        return made.public_id, made.organizer_id


def read_member(site, public_id):
    with site.database.read() as session:
        row = members.get_member(session, 1, public_id)
        return None if row is None else (row.membership.role, row.event_ids)


def send(form):
    return form.page.visitor.try_post(form.action, form.fields).status_code


def is_in(browser):
    return browser.look("GET", "/organizer").status_code == 200


@only_sqlite
def test_invited_person_comes_by_the_mail(site, owner):
    form = owner.open(f"{MEMBERS}/invite").form("招待を送る")
    form.fill(email=EMAIL, role="approver", scope="all").submit()
    site.drain()
    [link] = [
        line
        for line in read_text(site.mailbox.read_only(EMAIL)).splitlines()
        if "/organizer/enter/" in line
    ]
    browser = Dashboard(site.url)
    browser.open(link).form().fill(name="次郎", password="seventeen green umbrellas").submit()

    assert is_in(browser)
    assert "次郎" in owner.open(MEMBERS).root.text
    browser.close()


@only_sqlite
def test_withdrawn_invitation_opens_nothing(site, owner):
    form = owner.open(f"{MEMBERS}/invite").form("招待を送る")
    form.fill(email=EMAIL, role="viewer", scope="all").submit()
    site.drain()
    [link] = [
        line
        for line in read_text(site.mailbox.read_only(EMAIL)).splitlines()
        if "/organizer/enter/" in line
    ]
    owner.open(MEMBERS).form("取り消す").submit()

    assert owner.look("GET", link).status_code == 404


@only_sqlite
def test_member_is_not_invited_again(site, owner):
    add_member(site, Role.VIEWER, email=EMAIL)
    form = owner.open(f"{MEMBERS}/invite").form("招待を送る")

    page = form.fill(email=EMAIL, role="viewer", scope="all").submit(status=422)

    assert "すでにメンバー" in page.root.text


@only_sqlite
def test_changed_role_ends_the_members_sessions(site, owner):
    public_id, organizer_id = add_member(site, Role.EDITOR)
    editor = sign_in_again(site, organizer_id)
    owner.open(f"{MEMBERS}/{public_id}").form("保存").fill(role="viewer").submit()

    assert read_member(site, public_id) == ("viewer", None)
    assert not is_in(editor)


@only_sqlite
def test_member_is_let_into_some_events(site, owner):
    with site.database.write() as session:
        events = [factories.make_event(session, now=site.clock()) for _ in range(2)]
        ids, public_ids = [event.id for event in events], [event.public_id for event in events]
    public_id, _ = add_member(site, Role.EDITOR)
    form = owner.open(f"{MEMBERS}/{public_id}").form("保存")
    form.fill(scope="some", events=[public_ids[0]]).submit()

    assert read_member(site, public_id) == ("editor", frozenset({ids[0]}))


@only_sqlite
def test_change_of_role_takes_no_event_away_however_many_there_are(site, owner):
    with site.database.write() as session:
        first = factories.make_event(session, now=site.clock())
        row = {c.name: getattr(first, c.name) for c in Event.__table__.columns if c.name != "id"}
        later = first.starts_at + timedelta(days=1)
        names = [{"slug": f"later-{n}", "public_id": f"later-{n}"} for n in range(300)]
        session.execute(insert(Event), [row | {"starts_at": later} | name for name in names])
        ends = frozenset(session.execute(select(func.min(Event.id), func.max(Event.id))).one())
    public_id, _ = add_member(site, Role.VIEWER, event_ids=ends)

    owner.open(f"{MEMBERS}/{public_id}").form("保存").fill(role="exporter").submit()

    assert read_member(site, public_id) == ("exporter", ends)


@only_sqlite
def test_removed_member_is_out_at_once(site, owner):
    public_id, organizer_id = add_member(site, Role.EDITOR)
    editor = sign_in_again(site, organizer_id)
    owner.open(f"{MEMBERS}/{public_id}").form("削除").submit()

    assert read_member(site, public_id) is None
    assert not is_in(editor)


@only_sqlite
def test_last_owner_stays(site, owner):
    with site.database.read() as session:
        [row] = members.list_members(session, 1)
    page = owner.open(f"{MEMBERS}/{row.membership.public_id}")
    page.form("保存").fill(role="viewer").submit(status=422)
    page.form("削除").submit(status=422)

    assert read_member(site, row.membership.public_id) == ("owner", None)


@only_sqlite
def test_second_of_two_who_change_a_member_is_told(site, owner):
    public_id, _ = add_member(site, Role.EDITOR)
    other = sign_in(site)
    late = other.open(f"{MEMBERS}/{public_id}").form("保存")
    owner.open(f"{MEMBERS}/{public_id}").form("保存").fill(role="viewer").submit()

    late = late.fill(scope="some").submit(status=422).form("保存")
    page = late.fill(scope="all", role="exporter").submit(status=409)

    assert "閲覧者" in page.root.text
    assert read_member(site, public_id) == ("viewer", None)
    page.form("保存").submit()
    assert read_member(site, public_id) == ("exporter", None)


@only_postgresql
@pytest.mark.parametrize("is_locked", [True, False])
def test_second_of_two_who_change_a_member_at_once_is_told(site, owner, monkeypatch, is_locked):
    if not is_locked:
        monkeypatch.setattr(organizations, "lock_organization", organizations.need_organization)
    public_id, _ = add_member(site, Role.EDITOR)
    forms = [one.open(f"{MEMBERS}/{public_id}").form("保存") for one in (owner, sign_in(site))]
    forms[0].fill(role="viewer")
    forms[1].fill(role="approver")

    with ThreadPoolExecutor() as pool:
        # Both have come as far as they can while somebody else holds what they change.
        with site.database.write() as session:
            session.execute(select(Membership).with_for_update())
            answers = [pool.submit(send, form) for form in forms]
            site.wait_until(lambda: count_waiting(site.database) == 2)
        statuses = sorted(answer.result() for answer in answers)

    assert statuses == ([303, 409] if is_locked else [303, 303])


@only_sqlite
def test_member_change_asks_again_who_it_is(site):
    owner = sign_in(site, password_hash="x")
    site.clock.move(minutes=11)

    page = owner.open(f"{MEMBERS}/invite")

    assert page.url.startswith(f"{site.url}/organizer/prove")


def test_two_owners_who_remove_each_other_leave_one(database):
    with database.write() as session:
        rows = [make_membership(session, Role.OWNER) for _ in range(2)]
        ids = [row.public_id for row in rows]
        # Who acts is read before either acts: the first may be done before the second begins.
        owners = [make_acting(members.get_member(session, 1, id_)) for id_ in ids]
    refused = []

    def remove(actor, victim):
        try:
            with database.write() as session:
                row = members.lock_member(session, 1, ids[victim])
                memberships.remove(session, owners[actor], row, now=factories.NOW)
        except LastOwner:
            refused.append(actor)

    threads = [threading.Thread(target=remove, args=pair) for pair in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    with database.read() as session:
        assert len(members.list_members(session, 1)) == 1


def test_invitation_lasts_no_longer_than_the_right_of_whoever_sent_it(database):
    now = factories.NOW
    with database.write() as session:
        [first, *others] = [make_membership(session, Role.OWNER) for _ in range(4)]
        links = []
        for number, other in enumerate(others):
            row = members.get_member(session, 1, other.public_id)
            email = f"invited{number}@example.com"
            invited = {"email": email, "role": Role.VIEWER, "event_ids": None, "locale": "ja"}
            links.append(memberships.invite(session, make_acting(row), now=now, **invited))
        owner = make_acting(members.get_member(session, 1, first.public_id))
        removed, fallen, changed = (members.get_member(session, 1, m.public_id) for m in others)
        memberships.remove(session, owner, removed, now=now)
        version = memberships.write_version(fallen)
        fall = {"role": Role.EDITOR, "event_ids": None, "version": version}
        memberships.change(session, owner, fallen, now=now, **fall)
        session.expire_all()
        assert [link.used_at is None for link in links] == [False, False, True]

        # Whatever else takes the right away is found out when the link is used.
        changed.membership.role = Role.EDITOR
        session.flush()
        person = {"email": "", "name": "", "password_hash": "", "locale": "ja"}
        with pytest.raises(accounts.LinkUsed):
            accounts.join(session, links[2], now=now, **person)
        changed.membership.role = Role.OWNER
        session.flush()
        assert accounts.join(session, links[2], now=now, **person)


@only_sqlite
def test_key_lasts_no_longer_than_the_right_of_whoever_made_it(site, owner):
    with site.database.write() as session:
        rows = [make_membership(session, Role.OWNER) for _ in range(3)]
        ids = [row.public_id for row in rows]
        makers = [members.get_member(session, 1, public_id) for public_id in ids]
        made = {"scopes": list(api_keys.Scope), "days": 30, "now": site.clock()}
        for n, row in enumerate(makers):
            api_keys.issue_key(session, make_acting(row), name=f"CRM <{n}>", **made)
        over = made | {"now": site.clock() - timedelta(days=30)}
        api_keys.issue_key(session, make_acting(makers[0]), name="over", **over)

    def list_working():
        with site.database.read() as session:
            found = stored_keys.list_keys(session, 1)
        return sorted(key.name for key, _ in found if key.revoked_at is None and key.name != "over")

    first = owner.open(f"{MEMBERS}/{ids[0]}")
    assert "CRM <0>" in first.text and "CRM <1>" not in first.text and "over" not in first.text
    first.form("削除").submit()
    assert list_working() == ["CRM <1>", "CRM <2>"]
    owner.open(f"{MEMBERS}/{ids[1]}").form("保存").fill(role="editor").submit()
    assert list_working() == ["CRM <2>"]
    with site.database.read() as session:
        noted = select(AuditEntry.object).where(AuditEntry.action == "api_key_revoked")
        assert len(session.scalars(noted).all()) == 2


def make_acting(row):
    return Member(
        organizer_id=row.organizer.id,
        public_id=row.organizer.public_id,
        name="",
        email="",
        locale="ja",
        organization_id=1,
        organization_public_id="",
        organization_name="",
        role=Role.OWNER,
        event_ids=None,
        session_id=0,
        seen_at=factories.NOW,
        proven_at=factories.NOW,
        has_password=True,
    )


@only_sqlite
def test_member_of_two_organizations_goes_from_one_to_the_other(site, owner):
    with site.database.write() as session:
        other = factories.make_organization(session, name="別の会", now=site.clock())
        members.add_membership(
            session, other.id, 1, role=Role.VIEWER, event_ids=None, now=site.clock()
        )
        public_id = other.public_id
        stranger = factories.make_organization(session, name="よその会", now=site.clock())
        stranger_id = stranger.public_id
    account = "/organizer/account"
    page = owner.post_form(account, f"{account}/organization", {"organization": public_id})
    assert "別の会" in page.root.text
    assert owner.look("GET", MEMBERS).status_code == 403

    page = owner.post_form(account, f"{account}/organization", {"organization": stranger_id})

    assert "よその会" not in page.root.text


@only_sqlite
def test_invitations_of_a_day_are_counted(start_site):
    site = start_site(rate_limits=True)

    def open_form():
        browser = sign_in(site)
        form = browser.open("/organizer/settings/members/invite").form("招待を送る")
        token = [pair for pair in form.fields if pair[0] == "csrf_token"]

        def invite(email):
            fields = [*token, ("role", "viewer"), ("scope", "all"), ("email", email)]
            return browser.try_post("/organizer/settings/members/invite", fields).status_code

        return invite

    invite = open_form()
    assert [invite("somebody@example.com") for _ in range(5)] == [303, 303, 303, 429, 429]
    others = [invite(f"person{number}@example.com") for number in range(50)]
    assert others == [303] * 47 + [429] * 3
    site.clock.move(hours=24)
    assert open_form()("somebody@example.com") == 303
