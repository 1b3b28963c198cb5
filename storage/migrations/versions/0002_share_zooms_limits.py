"""Share Zoom's limits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_UNKNOWN = sa.text('attempt_started_at IS NOT NULL')
_UNREAD = sa.text('registrant_id IS NOT NULL AND is_new_to_zoom IS NULL')


def upgrade() -> None:
    op.add_column('job', sa.Column('event_id', _ID, nullable=True))
    op.drop_index('ix_job_state_kind_run_at', table_name='job')
    op.create_index(
        'ix_job_state_kind_run_at_event_id', 'job', ['state', 'kind', 'run_at', 'event_id']
    )
    _name_events_of_open_jobs()

    op.add_column('zoom_registrant', sa.Column('counted_on', sa.Date(), nullable=True))
    for name in ('adds_that_day', 'changes_that_day'):
        op.add_column(
            'zoom_registrant', sa.Column(name, sa.Integer(), nullable=False, server_default='0')
        )
    for name, condition in (
        ('ix_zoom_registrant_unknown', _UNKNOWN),
        ('ix_zoom_registrant_unread', _UNREAD),
    ):
        op.create_index(
            name,
            'zoom_registrant',
            ['event_id'],
            sqlite_where=condition,
            postgresql_where=condition,
        )

    op.create_table(
        'zoom_account',
        sa.Column('account_id', sa.String(length=100), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('last_success_at', sa.DateTime(timezone=True), nullable=True),
        *_pause_columns(),
        sa.PrimaryKeyConstraint('account_id', name=op.f('pk_zoom_account')),
    )
    op.create_table(
        'zoom_event',
        sa.Column('event_id', _ID, nullable=False),
        sa.Column('walked_at', sa.DateTime(timezone=True), nullable=True),
        *_pause_columns(),
        sa.ForeignKeyConstraint(
            ['event_id'], ['event.id'], name=op.f('fk_zoom_event_event_id_event'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('event_id', name=op.f('pk_zoom_event')),
    )
    op.create_table(
        'zoom_budget',
        sa.Column('account_id', sa.String(length=100), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('full_at', sa.Float(precision=53), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('used_that_day', sa.Integer(), nullable=False),
        sa.Column('closed_until', sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint('account_id', 'name', name=op.f('pk_zoom_budget')),
    )


def _pause_columns() -> list[sa.Column]:
    return [
        sa.Column('paused_since', sa.DateTime(timezone=True), nullable=True),
        sa.Column('pause_problem', sa.String(length=40), nullable=False),
        sa.Column('pause_reason', sa.Text(), nullable=False),
        sa.Column('probe_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('probes', sa.Integer(), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    ]


def _name_events_of_open_jobs() -> None:
    """Read the events from the keys; a job that is done gets its own when it is needed again."""
    for kind, source in (
        ('zoom.sync', "(SELECT event_id FROM registration WHERE id = CAST(substr(key, 6) AS BIGINT))"),
        ('mail', "(SELECT event_id FROM mail WHERE id = CAST(substr(key, 6) AS BIGINT))"),
        ('zoom.settle', "CAST(substr(key, 8) AS BIGINT)"),
    ):
        op.execute(f"UPDATE job SET event_id = {source} WHERE kind = '{kind}' AND state <> 'done'")


def downgrade() -> None:
    op.drop_table('zoom_budget')
    op.drop_table('zoom_event')
    op.drop_table('zoom_account')
    op.drop_index('ix_zoom_registrant_unread', table_name='zoom_registrant')
    op.drop_index('ix_zoom_registrant_unknown', table_name='zoom_registrant')
    for name in ('changes_that_day', 'adds_that_day', 'counted_on'):
        op.drop_column('zoom_registrant', name)
    op.drop_index('ix_job_state_kind_run_at_event_id', table_name='job')
    op.create_index('ix_job_state_kind_run_at', 'job', ['state', 'kind', 'run_at'])
    op.drop_column('job', 'event_id')
