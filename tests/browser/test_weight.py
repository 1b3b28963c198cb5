"""What a page costs: requests and bytes, against the budget of public pages."""

import gzip

import pytest

from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

KILOBYTE = 1024


@pytest.fixture
def answers(open_tab):
    """Open an address and return what was loaded, by kind of resource."""

    def load(address):
        tab, loaded = open_tab(), {}
        tab.on(
            "response",
            lambda answer: loaded.setdefault(answer.request.resource_type, []).append(answer),
        )
        tab.goto(address, wait_until="networkidle")
        return loaded

    return load


def test_pages_stay_within_their_budget(stage, answers):
    stage.add_examples()
    receipt = stage.register("demo", "taro@example.com")
    pages = {
        "form": stage.address("demo"),
        "framed": f"{stage.address('demo')}/embed",
        "receipt": receipt,
        "join": stage.join("taro@example.com"),
        "personal": stage.personal("taro@example.com"),
    }
    for name, address in pages.items():
        loaded = answers(address)
        # The page is there by then; it says that it was seen, and has a line for an answer.
        assert [a.status for a in loaded.pop("fetch", [])] == [204] * (name in ("form", "framed"))
        assert set(loaded) <= {"document", "stylesheet", "script", "image"}, name
        # Pictures of speakers, below what is seen first, are as many as there are speakers.
        assert sum(len(a) for kind, a in loaded.items() if kind != "image") <= 6, name
        assert measure(loaded["document"] + loaded["stylesheet"]) <= 20 * KILOBYTE, name
        assert measure(loaded["script"]) <= 6 * KILOBYTE, name
        assert sum(len(a.body()) for a in loaded.get("image", [])) <= 100 * KILOBYTE, name
        assert all("set-cookie" not in a.headers for kind in loaded.values() for a in kind), name


def measure(answers):
    """Return the bytes that travel: a proxy compresses what the site sends plain."""
    return sum(len(gzip.compress(answer.body())) for answer in answers)
