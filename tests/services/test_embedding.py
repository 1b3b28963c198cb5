"""Which sites may frame the forms: what is taken as an origin, and what never is."""

import pytest

from services.embedding import OriginRefused, Refusal, read_origin

TAKEN = {
    "https://www.example.co.jp": "https://www.example.co.jp",
    " HTTPS://WWW.Example.CO.JP/ ": "https://www.example.co.jp",
    "https://example.com:443": "https://example.com",
    "https://example.com:8443": "https://example.com:8443",
    "https://例え.jp": "https://xn--r8jz45g.jp",
    "https://ｅｘａｍｐｌｅ．ｃｏｍ": "https://example.com",
    "https://xn--r8jz45g.jp": "https://xn--r8jz45g.jp",
    "https://192.0.2.1": "https://192.0.2.1",
}
REFUSED = {
    "": Refusal.SHAPE,
    "*": Refusal.SHAPE,
    "https:": Refusal.SHAPE,
    "https://": Refusal.SHAPE,
    "https://*": Refusal.HOST,
    "https://*.example.com": Refusal.HOST,
    "'self'": Refusal.SHAPE,
    "example.com": Refusal.SHAPE,
    "//example.com": Refusal.SHAPE,
    "javascript:alert(1)": Refusal.SHAPE,
    "data:text/html,x": Refusal.SHAPE,
    "blob:https://example.com": Refusal.SHAPE,
    "ftp://example.com": Refusal.SHAPE,
    "a.com; script-src *": Refusal.SHAPE,
    "https://a.com; script-src *": Refusal.SHAPE,
    "https://a.com;script-src": Refusal.HOST,
    "https://a.com,https://b.com": Refusal.PATH,
    "https://a.com https://b.com": Refusal.SHAPE,
    "https://a.com\nhttps://b.com": Refusal.SHAPE,
    "https://a.com\n": Refusal.SHAPE,
    "https://a.com\x00": Refusal.HOST,
    "https://a.com\u2028": Refusal.SHAPE,
    "https://a.com\u00a0": Refusal.SHAPE,
    "https://example.com/landing": Refusal.PATH,
    "https://example.com//": Refusal.PATH,
    "https://example.com?a": Refusal.PATH,
    "https://example.com#a": Refusal.PATH,
    "https://example.com\\@evil.example": Refusal.SHAPE,
    "https://user@example.com": Refusal.SHAPE,
    "https://user:secret@example.com": Refusal.SHAPE,
    "https://example.com:0": Refusal.SHAPE,
    "https://example.com:65536": Refusal.SHAPE,
    "https://example.com:٤٤٣": Refusal.SHAPE,
    "https://example.com:": Refusal.SHAPE,
    "https://example.com.": Refusal.HOST,
    "https://example..com": Refusal.HOST,
    "https://-example.com": Refusal.HOST,
    "https://intranet": Refusal.HOST,
    "https://straße.de": Refusal.HOST,
    "https://exam\u200bple.com": Refusal.HOST,
    "https://exam\u202eple.com": Refusal.HOST,
    "https://[::1]": Refusal.SHAPE,
    "https://127.1.": Refusal.HOST,
    "https://0x7f.1": Refusal.HOST,
    "https://example.0x1": Refusal.HOST,
    "https://192.0.2.01": Refusal.HOST,
    "https://" + ".".join(["a" * 60] * 5) + ".com": Refusal.HOST,
    "http://example.com": Refusal.HTTPS,
    "http://localhost:8000": Refusal.HOST,
    "https://localhost": Refusal.HOST,
    "http://127.0.0.1": Refusal.HOST,
}


@pytest.mark.parametrize(("typed", "origin"), TAKEN.items())
def test_one_exact_origin_is_taken(typed, origin):
    assert read_origin(typed) == origin


@pytest.mark.parametrize(("typed", "refusal"), REFUSED.items(), ids=ascii)
def test_everything_else_is_refused(typed, refusal):
    with pytest.raises(OriginRefused) as refused:
        read_origin(typed)

    assert refused.value.refusal is refusal


def test_demo_takes_this_machine():
    assert read_origin("http://localhost:8000", allows_loopback=True) == "http://localhost:8000"
    assert read_origin("http://127.0.0.1:80", allows_loopback=True) == "http://127.0.0.1"
    with pytest.raises(OriginRefused):
        read_origin("http://example.com", allows_loopback=True)
