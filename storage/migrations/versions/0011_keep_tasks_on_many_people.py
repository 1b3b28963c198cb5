"""Keep tasks on many people, with a result for each"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'people_task',
        sa.Column('id', KEY, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('act', sa.String(length=10), nullable=False),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_people_task_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_people_task')),
        sa.UniqueConstraint('public_id', name=op.f('uq_people_task_public_id')),
    )
    op.create_index('ix_people_task_event_id', 'people_task', ['event_id'])
    op.create_table(
        'people_task_item',
        sa.Column('task_id', KEY, nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('registration_id', KEY, nullable=False),
        sa.Column('result', sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ['task_id'],
            ['people_task.id'],
            name=op.f('fk_people_task_item_task_id_people_task'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['registration_id'],
            ['registration.id'],
            name=op.f('fk_people_task_item_registration_id_registration'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('task_id', 'position', name=op.f('pk_people_task_item')),
    )
    op.create_index(
        'ix_people_task_item_registration_id', 'people_task_item', ['registration_id']
    )


def downgrade() -> None:
    op.drop_table('people_task_item')
    op.drop_table('people_task')
