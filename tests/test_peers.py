"""The bench knows its way around Indico and pretix, by pieces of their pages."""

from __future__ import annotations

import html
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.peer_steps import PEERS, answer_indico, answer_pretix, read_pretix_cart
from bench.peers import INDICO, PRETIX, RIVALS, BadPeer, meet_peers, read_peer
from bench.steps import Answer, Script, UnexpectedAnswer
from bench.visitors import Order, send_visitors

CART = (
    '<form method="post" action="/org/bench/cart/add?next=/org/bench/&amp;next_error=/org/">'
    '<input type="hidden" name="csrfmiddlewaretoken" value="T1">'
    '<input type="number" value="1"\n name="item_7">'
)
QUESTIONS = (
    '<input type="hidden" name="csrfmiddlewaretoken" value="T2">'
    '<input type="text" name="2-question_1" required>'
    '<select name="2-question_3"><option value="">-</option><option value="AGE1">a</option>'
    '<option value="AGE2">b</option></select>'
    '<input type="checkbox" name="2-question_4" value="WHY1">'
    '<input type="checkbox" name="2-question_4" value="WHY2">'
    '<textarea name="2-question_5" rows="10"></textarea>'
    '<input type="checkbox" name="2-question_6" required>'
)


def make_indico_page(*items):
    form = {"items": {str(number): item for number, item in enumerate(items)}}
    return f'<div data-form-data="{html.escape(json.dumps(form))}"></div>'


def ask(name, kind, **more):
    return {"htmlName": name, "inputType": kind, "isEnabled": True, **more}


def test_peer_is_an_address_here_and_its_processes():
    peer = read_peer(INDICO, "http://127.0.0.1:8801/event/1/registrations/1/ 11 12 13")

    script = peer.server.script
    assert (script.port, script.path) == (8801, "/event/1/registrations/1/")
    assert (peer.server.pid, peer.other_pids, script.peer) == (11, [12, 13], "indico")


@pytest.mark.parametrize(
    "told",
    [
        "http://indico.example.com:80/event/1/ 11",  # somebody else's site
        "https://127.0.0.1:8801/event/1/ 11",
        "http://127.0.0.1/event/1/ 11",
        "http://127.0.0.1:8801/event/1/",  # nobody knows whose CPU is whose
        "http://127.0.0.1:8801/event/1/ gunicorn",
        " ",
    ],
)
def test_peer_that_cannot_be_compared_is_refused(told):
    with pytest.raises(BadPeer, match="BENCH_INDICO"):
        read_peer(INDICO, told)


def test_peers_that_are_not_told_are_left_out_aloud(monkeypatch, capsys):
    monkeypatch.delenv(INDICO.variable, raising=False)
    monkeypatch.setenv(PRETIX.variable, "http://pretix.example.com/org/event/")

    assert list(meet_peers(None)) == []
    assert capsys.readouterr().err.count("is left out") == len(RIVALS)


def test_form_of_indico_is_filled_in_by_kind():
    page = make_indico_page(
        {"inputType": "label", "isEnabled": True},
        ask("email", "email"),
        ask("first_name", "text"),
        ask("affiliation", "affiliation"),
        ask("picture", "picture") | {"isEnabled": False},
        ask("field_5", "multi_choice", choices=[{"id": "c0"}, {"id": "c1"}]),
        ask("field_6", "checkbox"),
    )

    assert answer_indico(page) == {
        "first_name": "山田",
        "affiliation": {"id": None, "text": "山田"},
        "field_5": {"c0": 1},
        "field_6": True,
    }


@pytest.mark.parametrize("page", ["<p>closed</p>", make_indico_page(ask("field_7", "file"))])
def test_form_of_indico_that_nobody_can_fill_in_is_said(page):
    with pytest.raises(UnexpectedAnswer):
        answer_indico(page)


def test_cart_of_pretix_is_found_and_its_questions_answered():
    assert read_pretix_cart(CART) == (
        "/org/bench/cart/add?next=/org/bench/&next_error=/org/",
        "item_7",
    )
    assert answer_pretix(QUESTIONS) == {
        "2-question_1": "山田",
        "2-question_3": "AGE1",
        "2-question_4": "WHY1",
        "2-question_5": "山田",
        "2-question_6": "on",
    }


def test_visitor_of_pretix_keeps_cookies_where_answers_lead():
    script = read_peer(PRETIX, "http://127.0.0.1:8802/org/bench/ 1").server.script
    promised = {}
    steps = PEERS["pretix"](script, promised)

    def answer(body="", status=200, head=""):
        return steps.send(
            Answer(status, f"HTTP/1.1 {status}\r\n{head}\r\n".encode(), body.encode())
        )

    next(steps)
    put = answer(CART, head="Set-Cookie: csrf=A; Path=/\r\n")
    again = answer("", 302, "Location: /org/bench/?cart=1\r\nSet-Cookie: session=B; Path=/\r\n")
    answer(head="Set-Cookie: cart=C; Path=/\r\n")
    asked = answer(QUESTIONS)
    confirmed = answer(QUESTIONS)
    email = asked.decode().rpartition("email=")[2].partition("&")[0].replace("%40", "@")
    with pytest.raises(StopIteration):
        answer(f'<div class="thank-you">{email}')

    assert b"Cookie: csrf=A\r\n" in put
    assert put.endswith(b"csrfmiddlewaretoken=T1&item_7=1")
    assert again.startswith(b"GET /org/bench/?cart=1 ")
    assert b"Cookie: csrf=A; session=B\r\n" in again
    assert b"Cookie: csrf=A; session=B; cart=C\r\n" in asked
    assert b"2-question_3=AGE1" in asked
    assert confirmed.startswith(b"POST /org/bench/checkout/confirm/ ")
    assert list(promised) == [email]


class OneAnswerEach(BaseHTTPRequestHandler):
    """Closes the connection behind each answer, and says so, as servers with sync workers do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'<input name="token" value="x">'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_visitor_whose_connection_was_closed_comes_on_another():
    script = {"token": 'name="(token)" value="(x)"', "fields": {}, "status": 200, "done": ""}
    with ThreadingHTTPServer(("127.0.0.1", 0), OneAnswerEach) as server:
        Thread(target=server.serve_forever).start()
        order = Order(Script(server.server_port, "/", **script), False, 5, visitors=2, total=6)
        visits = send_visitors(order)
        server.shutdown()

    assert (visits.count, visits.errors) == (6, {})
