"""Keep whom a task is about in few rows, so that a task on everybody begins at once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'people_task_part',
        sa.Column('task_id', KEY, nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('ids', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ['task_id'],
            ['people_task.id'],
            name=op.f('fk_people_task_part_task_id_people_task'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('task_id', 'number', name=op.f('pk_people_task_part')),
    )


def downgrade() -> None:
    op.drop_table('people_task_part')
