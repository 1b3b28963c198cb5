"""`flask event reconcile` and `publish` where events are at accounts of several organizations."""

from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

NO_ACCOUNT = {"zoom_account_id": "", "zoom_client_id": "", "zoom_client_secret": ""}


def add_ann(site):
    """Have somebody at each meeting in Zoom of whom we know nothing."""
    for meeting in site.zoom.state()["meetings"]:
        site.zoom.add_registrant(meeting["id"], "ann@example.com", first_name="Ann")


def test_event_is_compared_with_its_own_organizations_account(start_two, make_runner):
    site = start_two(**NO_ACCOUNT)
    add_ann(site)
    _, row, last = make_runner(site)("event", "reconcile", "beta").output.splitlines()
    assert row.split() == ["beta", "ann@example.com", "-", "approved"]
    assert last == "1 events compared, 1 people differ."


def test_event_is_published_at_its_own_organizations_account(start_two, make_runner):
    run = make_runner(start_two(**NO_ACCOUNT))
    assert "/e/beta" in run("event", "publish", "beta").output
    assert "Nothing has" in run("event", "publish", "beta", "--dry-run").output


def test_account_of_the_first_organization_is_not_asked(start_two, make_runner):
    site = start_two(zoom_client_secret="no longer right")
    run = make_runner(site)
    run("event", "reconcile", "beta")
    run("event", "publish", "beta")


def test_lost_meeting_keeps_no_other_event_from_being_compared(site, run):
    for slug, more in (("alpha", {}), ("bravo", {"zoom_id": 89_999_999_999}), ("charlie", {})):
        site.add_event(slug=slug, **more)
    add_ann(site)
    done = run("event", "reconcile", "--all", exit_code=1)
    reason, _, *rows, last = done.stdout.splitlines()
    assert reason.startswith("bravo is not compared. Zoom: Meeting does not exist")
    assert [row.split()[0] for row in rows] == ["alpha", "charlie"]
    assert last == "2 events compared, 2 people differ."
    assert done.stderr == "Error: 1 events are not compared: the reasons stand above.\n"


def test_event_without_an_account_keeps_no_other_one_from_being_compared(start_two, make_runner):
    site = start_two(**NO_ACCOUNT)
    site.add_event(slug="alpha")
    done = make_runner(site)("event", "reconcile", "--all", exit_code=1)
    assert done.stdout.startswith("alpha is not compared. No Zoom account: connect it in the")
    assert done.stdout.endswith("1 events compared, 0 people differ.\n")
