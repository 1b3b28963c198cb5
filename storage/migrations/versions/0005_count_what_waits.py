"""Count what waits, and since when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('job', sa.Column('due_since', sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE job SET due_since = run_at WHERE state <> 'done'")
    op.create_index(
        'ix_zoom_registrant_event_id_delivery', 'zoom_registrant', ['event_id', 'delivery']
    )
    op.drop_index('ix_zoom_registrant_event_id', table_name='zoom_registrant')
    op.create_table(
        'alarm',
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('facts', sa.JSON(), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('message_id', sa.String(length=32), nullable=False),
        sa.Column('is_doubtful', sa.Boolean(), nullable=False),
        sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_alarm')),
    )


def downgrade() -> None:
    op.drop_table('alarm')
    op.create_index('ix_zoom_registrant_event_id', 'zoom_registrant', ['event_id'])
    op.drop_index('ix_zoom_registrant_event_id_delivery', table_name='zoom_registrant')
    op.drop_column('job', 'due_since')
