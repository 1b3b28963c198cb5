"""Look who has not pressed a mail's button

An older version asked nobody to look once its time is over, and organizers were never told.
"""

from __future__ import annotations

from alembic import op


revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    build = 'json_build_object' if op.get_bind().dialect.name == 'postgresql' else 'json_object'
    op.execute(
        "INSERT INTO job (kind, key, payload, event_id, state, generation, attempts, crashes,"
        " reason, run_at, due_since, created_at, updated_at)"
        f" SELECT 'proof_over', 'proof_over:' || event_id, {build}('event_id', event_id),"
        " event_id, 'ready', 1, 0, 0, '', MAX(created_at), MAX(created_at), MAX(created_at),"
        " MAX(created_at)"
        " FROM submission WHERE outcome = 'held' AND held_for = 'mail_proof' GROUP BY event_id"
    )


def downgrade() -> None:
    op.execute("DELETE FROM job WHERE kind = 'proof_over'")
