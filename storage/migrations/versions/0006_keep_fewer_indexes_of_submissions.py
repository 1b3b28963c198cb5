"""Keep fewer indexes of submissions: each is a page to write for every registration"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

HELD = sa.text("outcome = 'held'")
CORRECTED = sa.text('corrected_by_id IS NOT NULL')


def upgrade() -> None:
    op.drop_index('ix_submission_event_id_email_key', table_name='submission')
    op.drop_index('ix_submission_event_id_outcome_id', table_name='submission')
    op.drop_index('ix_submission_corrected_by_id', table_name='submission')
    op.create_index(
        'ix_submission_held',
        'submission',
        ['event_id', 'id'],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_index(
        'ix_submission_corrected',
        'submission',
        ['corrected_by_id'],
        sqlite_where=CORRECTED,
        postgresql_where=CORRECTED,
    )


def downgrade() -> None:
    op.drop_index('ix_submission_corrected', table_name='submission')
    op.drop_index('ix_submission_held', table_name='submission')
    op.create_index('ix_submission_corrected_by_id', 'submission', ['corrected_by_id'])
    op.create_index(
        'ix_submission_event_id_outcome_id', 'submission', ['event_id', 'outcome', 'id']
    )
    op.create_index('ix_submission_event_id_email_key', 'submission', ['event_id', 'email_key'])
