"""Transactions on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text


def test_write_commits_at_its_end(database):
    with database.write() as session:
        session.execute(text("INSERT INTO rate_bucket VALUES ('a', 1)"))

    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM rate_bucket")) == 1
