"""Find by an index whose work at Zoom has ended undone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

fits_code_of = '0006'

IS_STOPPED = sa.text("kind = 'zoom.sync' AND state = 'done' AND reason <> ''")


def upgrade() -> None:
    op.create_index(
        'ix_job_stopped',
        'job',
        ['event_id'],
        sqlite_where=IS_STOPPED,
        postgresql_where=IS_STOPPED,
    )


def downgrade() -> None:
    op.drop_index('ix_job_stopped', 'job')
