"""Record who came"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        'event',
        sa.Column('records_attendance', sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        'attendance_record',
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('date_id', sa.String(length=100), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('problem', sa.String(length=40), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('ends_at', MOMENT, nullable=False),
        sa.Column('asked_at', MOMENT, nullable=True),
        sa.Column('settled_at', MOMENT, nullable=True),
        sa.Column('attended', sa.Integer(), nullable=False),
        sa.Column('expected', sa.Integer(), nullable=False),
        sa.Column('unrecognised', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name='fk_attendance_record_event_id_event',
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('event_id', 'date_id', name='pk_attendance_record'),
    )
    op.create_table(
        'attendance',
        sa.Column('registration_id', KEY, nullable=False),
        sa.Column('date_id', sa.String(length=100), nullable=False),
        sa.Column('first_joined_at', MOMENT, nullable=True),
        sa.Column('last_left_at', MOMENT, nullable=True),
        sa.Column('seconds', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['registration_id'],
            ['registration.id'],
            name='fk_attendance_registration_id_registration',
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('registration_id', 'date_id', name='pk_attendance'),
    )


def downgrade() -> None:
    op.drop_table('attendance')
    op.drop_table('attendance_record')
    op.drop_column('event', 'records_attendance')
