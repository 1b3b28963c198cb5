"""Web processes check for alarms while no worker runs, since nobody else could report that."""

from __future__ import annotations

import logging
import os
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from worker.alarms import AlarmWatch
from worker.loop import LOOK_SECONDS

log = logging.getLogger(__name__)


def stand_in_after_fork(watch: AlarmWatch) -> None:
    """Have each web process that is forked from now on look once a minute.

    Threads do not outlive a fork, and the parent may hold no connection.
    """
    os.register_at_fork(
        after_in_child=lambda: threading.Thread(
            target=_look_forever, args=(watch,), daemon=True
        ).start()
    )


def _look_forever(watch: AlarmWatch) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            watch.look_without_worker()
        except (SQLAlchemyError, OSError) as error:
            log.warning(
                "nobody looked for what stands still", extra={"reason": type(error).__name__}
            )
