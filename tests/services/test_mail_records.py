"""SPF, DKIM and DMARC, asked of a real DNS server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from services.mail_records import Verdict, check_records, is_public_domain, is_selector
from views.txt_records import look_up_txt

ZONE = {
    "good.example.": ["google-site-verification=x", "v=spf1 include:_spf.example.net -all"],
    "_dmarc.good.example.": ["v=DMARC1; p=reject"],
    "s1._domainkey.good.example.": ["v=DKIM1; k=rsa; p=" + "A" * 300],
    "double.example.": ["v=spf1 -all", "v=spf1 ~all"],
    "near.example.": ["v=spf10 -all"],
    "none.example.": [],
}


@contextmanager
def serve_dns() -> Iterator[int]:
    """Answer for the zone above; any other name does not exist."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        is_over = threading.Event()

        def answer() -> None:
            while not is_over.is_set():
                try:
                    packet, client = server.recvfrom(4096)
                except TimeoutError:
                    continue
                query = dns.message.from_wire(packet)
                response = dns.message.make_response(query)
                name = query.question[0].name.to_text()
                texts = ZONE.get(name)
                if texts:
                    parts = [
                        " ".join(f'"{t[i : i + 200]}"' for i in range(0, len(t), 200))
                        for t in texts
                    ]
                    response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *parts))
                elif texts is None:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        is_over.set()
        thread.join()


@pytest.fixture(scope="module")
def dns_port():
    with serve_dns() as port:
        yield port


def make_resolver(port):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    return resolver


def check(port, domain, selector=""):
    resolver = make_resolver(port)
    found = check_records(
        domain,
        selector,
        lambda name: look_up_txt(name, resolver=resolver),
        mail_host="mail.example.net",
    )
    return {record.kind: record for record in found}


def test_records_that_are_there_are_found(dns_port):
    records = check(dns_port, "good.example", "s1")

    assert {record.verdict for record in records.values()} == {Verdict.FOUND}
    assert records["SPF"].found == "v=spf1 include:_spf.example.net -all"
    assert records["DKIM"].found.endswith("A" * 300)


@pytest.mark.parametrize("domain", ["none.example", "near.example"])
def test_missing_records_come_with_what_to_add(dns_port, domain):
    records = check(dns_port, domain, "s1")

    assert {record.verdict for record in records.values()} == {Verdict.MISSING}
    assert records["SPF"].to_add == "v=spf1 a:mail.example.net ~all"
    assert records["DMARC"].name == f"_dmarc.{domain}"
    assert records["DMARC"].to_add.startswith("v=DMARC1; p=none;")


def test_domain_that_dns_does_not_know_is_not_judged(dns_port):
    assert check(dns_port, "unknown.example", "s1") == {}


def test_two_spf_records_are_told(dns_port):
    assert check(dns_port, "double.example")["SPF"].verdict is Verdict.DOUBLE


def test_dkim_without_its_selector_is_not_asked(dns_port):
    record = check(dns_port, "good.example")["DKIM"]
    assert (record.verdict, record.to_add) == (Verdict.NOT_ASKED, "")


def test_silent_dns_says_nothing_about_records():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        records = check(silent.getsockname()[1], "good.example", "s1")

    assert {record.verdict for record in records.values()} == {Verdict.NOT_ASKED}


@pytest.mark.parametrize(
    ("domain", "is_public"),
    [("example.co.jp", True), ("127.0.0.1", False), ("localhost", False), ("a b.example", False)],
)
def test_domain_that_dns_can_know(domain, is_public):
    assert is_public_domain(domain) is is_public


def test_selector_is_a_name_alone():
    assert is_selector("s1") and is_selector("a.b-c")
    assert not is_selector("s1 ") and not is_selector("../x") and not is_selector("")
