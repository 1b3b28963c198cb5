"""The page client finds what it is there to find."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.page import Visitor

GOOD = """<!doctype html>
<html lang="ja"><head><title>受付</title></head><body><main><h1>受付</h1>
<form method="post"><label for="email">メール</label><input id="email" name="email" value="a@b.jp">
<label><input type="checkbox" name="news" value="yes"> お知らせ</label>
<select name="age" aria-label="年代"><option value="">選択</option><option>20</option></select>
<button>送る</button></form></main></body></html>"""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(port=0) as server:
        yield server


@pytest.fixture
def visitor(server: HTTPServer) -> Iterator[Visitor]:
    server.clear()
    visitor = Visitor(server.url_for("/"))
    yield visitor
    visitor.close()


def test_good_page_is_read(server, visitor):
    server.expect_request("/").respond_with_data(GOOD, headers=HEADERS)

    page = visitor.open("/")

    assert (page.title, page.heading, page.locale) == ("受付", "受付", "ja")
    assert page.form("送る").fields == [("email", "a@b.jp"), ("age", "")]


def test_other_name_of_a_page_may_be_anywhere(server, visitor):
    named = '<link rel="canonical" href="https://elsewhere.example/e/spring"><title>'
    page = GOOD.replace("<title>", named)
    server.expect_request("/").respond_with_data(page, headers=HEADERS)

    assert visitor.open("/").heading == "受付"


def test_form_sends_what_was_filled_in(server, visitor):
    server.expect_request("/", method="GET").respond_with_data(GOOD, headers=HEADERS)
    server.expect_request(
        "/", method="POST", data="age=&email=taro%40example.com&news=yes"
    ).respond_with_data(GOOD, headers=HEADERS)

    form = visitor.open("/").form().fill(email="taro@example.com", news=["yes"])

    assert form.submit().heading == "受付"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<title>受付</title>", ""),
        (' lang="ja"', ""),
        ("<h1>受付</h1>", "<h1>受付</h1><h1>受付</h1>"),
        ("</main>", ""),
        ('id="email"', 'id="e"'),
        ('<label for="email">メール</label>', ""),
        (' aria-label="年代"', ""),
        ("<button>送る</button>", '<button id="email">送る</button>'),
        ("<button>送る</button>", "<button></button>"),
        ("<button>送る</button>", '<button onclick="x()">送る</button>'),
        ("<main>", '<main style="color: red">'),
        ("<main>", "<main><script>x()</script>"),
        ("<main>", '<main><img src="/logo.png">'),
        ("<main>", '<main><img src="https://elsewhere.example/logo.png" alt="">'),
        ("<main>", '<main><a href="javascript:x()">x</a>'),
        ("<title>", '<link rel="stylesheet" href="https://elsewhere.example/x.css"><title>'),
    ],
)
def test_bad_page_is_refused(server, visitor, good, bad):
    assert good in GOOD
    server.expect_request("/").respond_with_data(GOOD.replace(good, bad, 1), headers=HEADERS)

    with pytest.raises(AssertionError):
        visitor.open("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Security-Policy": ""},
        {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        {"Cache-Control": "public"},
        {"Referrer-Policy": ""},
        {"X-Content-Type-Options": ""},
        {"Set-Cookie": "session=1"},
    ],
)
def test_bad_headers_are_refused(server, visitor, headers):
    server.expect_request("/").respond_with_data(GOOD, headers=HEADERS | headers)

    with pytest.raises(AssertionError):
        visitor.open("/")


def test_redirect_to_another_site_is_refused(server, visitor):
    server.expect_request("/").respond_with_data(
        "", status=302, headers=HEADERS | {"Location": "https://elsewhere.example/"}
    )

    with pytest.raises(AssertionError, match="away"):
        visitor.open("/")


def test_choice_that_is_not_offered_is_refused(server, visitor):
    server.expect_request("/").respond_with_data(GOOD, headers=HEADERS)

    with pytest.raises(AssertionError, match="offers"):
        visitor.open("/").form().fill(age="120")
