"""A flood from one network is limited, while others register as ever."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.people import TARO

FLOOD, ELSEWHERE = "192.0.2.1", "198.51.100.7"
THREADS = 2
# On PostgreSQL so many take three times as long, and show no more.
POSTS = {"sqlite": 5_000, "postgresql": 600}
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


def post(site, network, *, number=0, person=TARO, token=None, forged=""):
    """Fill in the form as somebody of a network, and return the answer."""
    client = site.app.test_client(use_cookies=False)
    options = {"environ_base": {"REMOTE_ADDR": network}, "base_url": site.url}
    if token is None:
        token = TOKEN.search(client.get("/e/spring", **options).text)[1]
    fields = {"form_token": token, **person, "email": f"p{number}@example.com"}
    return client.post("/e/spring", data=fields, headers={"X-Forwarded-For": forged}, **options)


def test_five_thousand_posts_of_one_network_are_limited_and_another_registers(start_site):
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    posts = POSTS[site.settings.database_url.partition(":")[0].partition("+")[0]]
    numbers, others = count(), []
    token = TOKEN.search(site.visitor().fetch("/e/spring").text)[1]

    def flood(_):
        statuses = Counter()
        for _ in range(posts // THREADS):
            number = next(numbers)
            answer = post(site, FLOOD, number=number, token=token, forged=f"203.0.113.{number}")
            statuses[answer.status_code] += 1
            if answer.status_code == 429:
                assert int(answer.headers["Retry-After"]) > 0
            if number % 100 == 50:  # meanwhile, elsewhere
                others.append(post(site, ELSEWHERE, number=posts + number).status_code)
        return statuses

    began_at = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = sum(pool.map(flood, range(THREADS)), Counter())
    assert statuses.keys() == {303, 422, 429}
    # One a second comes back while it lasts, and those who come at one moment see the same count.
    more = time.monotonic() - began_at + 2 * THREADS
    assert 200 <= statuses[303] <= 200 + more
    assert statuses[429] >= posts - 300 - more
    assert others == [303] * (posts // 100)
    assert site.count_rows("registration") == statuses[303] + len(others)
