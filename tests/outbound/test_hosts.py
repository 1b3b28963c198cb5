"""Where calls may not go, whatever their addresses look like and whatever a name server says.

A *canary* listens on this machine; nothing that is refused may reach it.
"""

import socket
import time
from pathlib import Path

import pytest
import requests

from outbound import (
    AddressRefused,
    Deadline,
    Fault,
    HostRules,
    HttpPool,
    NoAnswer,
    OutboundError,
    dialling,
)
from tests.outbound.socket_server import answer_always, drip, read_request, serve

OK = b"HTTP/1.1 200 OK\r\n"
PUBLIC = "142.250.196.109"
NOT_PUBLIC = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.5", "172.16.3.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.5", "::ffff:169.254.169.254"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a00:5::1"),
    *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fd00::1", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "fd00:ec2::254", "no address"),
)
# Each leads to the canary, or might where one parser reads it otherwise than another.
HOSTILE = (Path(__file__).parent / "hostile_addresses.txt").read_text().splitlines()


@pytest.fixture
def canary():
    with serve(answer_always(OK, b"secret")) as server:
        yield server


@pytest.fixture
def resolver(monkeypatch):
    """Answer look-ups of names from a list, one answer a look-up; note what is dialled."""
    stub = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", stub.look_up)
    monkeypatch.setattr(dialling, "create_connection", stub.dial)
    return stub


class Resolver:
    def __init__(self):
        self.answers = {}
        self.dialled = []
        self._look_up, self._dial = socket.getaddrinfo, dialling.create_connection

    def look_up(self, host, port, *options, **named):
        if host not in self.answers:
            return self._look_up(host, port, *options, **named)
        several = self.answers[host]
        found = several.pop(0) if len(several) > 1 else several[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    def dial(self, address, *rest, **named):
        self.dialled.append(address[0])
        if address[0] == "127.0.0.1":
            return self._dial(address, *rest, **named)
        raise ConnectionRefusedError


def send(url, rules, *, seconds=5.0, **options):
    with HttpPool(rules=rules, **options) as pool:
        return pool.send("POST", url, headers={}, body=b"{}", deadline=Deadline(seconds))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_private_address_is_connected_to(address):
    assert not HostRules().may_connect("hooks.example.com", address)
    assert HostRules(private=("hooks.example.com",)).may_connect("HOOKS.example.com.", address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "2404:6800:4004:80b::200e", f"::ffff:{PUBLIC}", f"64:ff9b::{PUBLIC}"]
)
def test_public_address_is_connected_to(address):
    assert HostRules().may_connect("hooks.example.com", address)


def test_hostile_addresses_never_reach_this_machine(canary):
    rules = HostRules(ports=(443, canary.port))
    for text in [*HOSTILE, "", "https://127.0.0.1:{port}\r\nHost: example.com/"]:
        with pytest.raises(OutboundError):
            send(text.replace("{port}", str(canary.port)), rules)

    assert canary.connections == 0


def test_address_is_https_at_a_listed_port():
    rules = HostRules(private=("n8n:5678", "127.0.0.1:*"), ports=(443,))

    assert rules.is_safe("https://hooks.example.com/a?b=c")
    assert rules.is_safe("https://xn--r8jz45g.example:443/")
    assert rules.is_safe("https://n8n:5678/") and rules.is_safe("http://127.0.0.1:5678/")
    assert not rules.is_safe("https://hooks.example.com:8443/")
    assert not rules.is_safe("http://hooks.example.com/")
    assert not rules.is_safe("http://n8n:5678/")
    assert HostRules(private=("n8n:5678",), takes_http=True).is_safe("http://n8n:5678/")
    assert HostRules().is_safe("https://hooks.example.com:8443/")


def test_host_of_ones_own_is_asked_at_its_port_alone():
    """Whoever sets up a webhook there could else find out what listens at the others."""

    def list_safe(named, *addresses, **more):
        rules = HostRules((named,), **{"ports": (443, 8443), "takes_http": True, **more})
        assert rules.may_connect(named.partition(":")[0].strip("[") or "::1", "10.0.0.5")
        return [address for address in addresses if rules.is_safe(address)]

    secure, plain, wrong = "https://n8n:5678/", "http://n8n:5678/", "https://n8n:22/"
    usual = [
        "https://n8n/",
        "http://n8n/",
        "https://n8n:443/",
        "http://n8n:80/",
        "https://n8n:8443/",
    ]
    every = (secure, plain, wrong, *usual)
    assert list_safe("n8n:5678", *every) == [secure, plain]
    assert list_safe("n8n", *every) == usual
    assert list_safe("n8n:*", *every) == [*every]
    assert list_safe("n8n", secure, wrong, ports=None) == [secure, wrong]
    assert list_safe("N8N:5678", secure, plain, takes_http=False) == [secure]
    assert list_safe("[::1]:5678", "https://[::1]:5678/", "https://[::1]/") == [
        "https://[::1]:5678/"
    ]
    assert list_safe("::1", "https://[::1]/", "https://[::1]:22/") == ["https://[::1]/"]
    assert list_safe("n8n:*", "ftp://n8n/", "gopher://n8n:70/") == []


def test_second_answer_of_a_name_server_is_never_asked_for(canary, resolver):
    url = f"https://hooks.example.com:{canary.port}/"
    resolver.answers["hooks.example.com"] = [[PUBLIC], ["127.0.0.1"]]

    with pytest.raises(OutboundError) as raised:
        send(url, HostRules())

    assert raised.value.fault is Fault.REFUSED_CONNECTION
    assert resolver.dialled == [PUBLIC]
    assert canary.connections == 0


def test_checking_a_name_before_the_call_would_let_rebinding_through(canary, resolver):
    """The control: who looks up, checks, and then leaves the connecting to others, is led here."""
    resolver.answers["hooks.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    checked = socket.getaddrinfo("hooks.example.com", 80)[0][4][0]

    answer = requests.post(f"http://hooks.example.com:{canary.port}/", data=b"{}", timeout=5)

    assert (checked, answer.text) == (PUBLIC, "secret")


@pytest.mark.parametrize(
    "found",
    [
        *([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["127.0.0.1"]),
        *([PUBLIC, "::ffff:127.0.0.1"], [PUBLIC, "64:ff9b::7f00:1"], [PUBLIC, "fe80::1%lo"]),
    ],
)
def test_host_with_any_private_address_is_refused(canary, resolver, found):
    resolver.answers["hooks.example.com"] = [found]

    with pytest.raises(AddressRefused):
        send(f"https://hooks.example.com:{canary.port}/", HostRules())

    assert (resolver.dialled, canary.connections) == ([], 0)


def test_redirects_are_answers_and_are_not_followed(canary):
    targets = [
        b"http://169.254.169.254/latest/meta-data/",
        b"http://127.0.0.1:%d/" % canary.port,
        b"/",
    ]

    def lead_on(conn):
        while read_request(conn):
            head = b"HTTP/1.1 307 Go\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
            conn.sendall(head % targets[server.connections - 1])

    rules = HostRules(private=("127.0.0.1",))
    with serve(lead_on) as server:
        for _ in targets:
            assert send(f"http://127.0.0.1:{server.port}/", rules).status == 307

    assert (server.connections, canary.connections) == (3, 0)


def flood(conn):
    read_request(conn)
    conn.sendall(OK + b"\r\n")
    while True:
        conn.sendall(b"x" * 65536)


def drip_head(conn):
    read_request(conn)
    drip(conn, OK + b"X-Long: " + b"x" * 1000)


@pytest.mark.parametrize(
    ("handler", "seconds", "fault"),
    [(flood, 20, Fault.TOO_LARGE), (drip_head, 0.5, Fault.TIMEOUT)],
)
def test_endless_and_slow_answers_are_cut(handler, seconds, fault):
    rules = HostRules(private=("127.0.0.1",))
    began = time.monotonic()
    with serve(handler) as server, pytest.raises(NoAnswer) as raised:
        send(f"http://127.0.0.1:{server.port}/", rules, seconds=seconds, max_bytes=100_000)

    assert raised.value.fault is fault
    # Dripped to its end, the head alone would take a hundred seconds.
    assert time.monotonic() - began < 10
