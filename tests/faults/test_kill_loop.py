"""The kill loop on each database, each fault once; and a round on a site that it must find out.

`make kill-loop` runs as many rounds as one likes.
"""

from pathlib import Path

import pytest

from tests.kill_loop.app import CARELESS_VARIABLE
from tests.kill_loop.faults import list_faults
from tests.kill_loop.loop import KillLoop, LoopFailed
from tests.kill_loop.rig import Rig

SEED = 1

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found in Linux's /proc"
)


def test_nothing_is_lost_or_doubled_on_sqlite(tmp_path):
    with Rig(tmp_path) as rig:
        KillLoop(rig, seed=SEED, say=print).run(len(list_faults(has_cluster=False)))


@pytest.mark.postgresql
def test_nothing_is_lost_or_doubled_on_postgresql(tmp_path, cluster):
    with Rig(tmp_path, cluster) as rig:
        KillLoop(rig, seed=SEED, say=print).run(len(list_faults(has_cluster=True)))


def test_site_that_adds_again_without_asking_is_found_out(tmp_path):
    fault = "killed at after_zoom"
    with Rig(tmp_path, **{CARELESS_VARIABLE: "1"}) as rig:
        loop = KillLoop(
            rig, seed=SEED, say=print, faults={fault: list_faults(has_cluster=False)[fault]}
        )
        with pytest.raises(LoopFailed, match=r"was added to Zoom 2 times"):
            loop.run(1)
