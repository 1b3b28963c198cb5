"""What the dashboard leads to, and in which order."""

from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite


@only_sqlite
def test_settings_are_listed_by_how_soon_they_are_needed(site):
    site.add_event(slug="spring")

    page = sign_in(site).open("/organizer/settings")

    [listed] = [found for found in page.root.find_all("ul") if found["class"].startswith("list ")]
    assert [link["href"].removeprefix("/organizer/settings/") for link in listed.find_all("a")] == [
        "organization",
        "list",
        "zoom",
        "notice",
        "mail",
        "members",
        "sign-in",
        "api-keys",
        "webhooks",
        "audit",
    ]
