"""What web processes look after, since nobody else could report it: no worker, no database."""

from __future__ import annotations

import logging
import os
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from worker.alarms import AlarmWatch
from worker.loop import LOOK_SECONDS
from worker.storage_watch import StorageWatch

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
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            storage_watch.look()
            watch.look_without_worker()
        except (SQLAlchemyError, OSError) as error:
            log.warning(
                "nobody looked for what stands still", extra={"reason": type(error).__name__}
            )
