"""What web processes look after: nobody else could tell that no worker lives, or no database."""

from __future__ import annotations

import logging
import os
import threading
import time
from itertools import count

from sqlalchemy.exc import SQLAlchemyError

from worker.alarms import AlarmWatch
from worker.loop import LOOK_SECONDS
from worker.storage_watch import StorageWatch

EVERY_TURN = 5

log = logging.getLogger(__name__)


def stand_in_after_fork(watch: AlarmWatch, storage_watch: StorageWatch) -> None:
    """Have each web process that is forked from now on look once a minute.

    Threads do not outlive a fork, and the parent may hold no connection.
    """
    os.register_at_fork(
        after_in_child=lambda: threading.Thread(
            target=_look_forever, args=(watch, storage_watch), daemon=True
        ).start()
    )


def _look_forever(watch: AlarmWatch, storage_watch: StorageWatch) -> None:
    for turn in count(1):
        time.sleep(LOOK_SECONDS)
        try:
            storage_watch.look()
            look_once(watch, turn)
        except (SQLAlchemyError, OSError) as error:
            log.warning(
                "nobody looked for what stands still", extra={"reason": type(error).__name__}
            )


def look_once(watch: AlarmWatch, turn: int) -> None:
    """Look if no worker gives signs of life, and now and then whoever does.

    A worker that dies soon after each start has given one, and lives too short to look itself.
    """
    if turn % EVERY_TURN == 0:
        watch.look(is_worker=False)
    else:
        watch.look_without_worker()
