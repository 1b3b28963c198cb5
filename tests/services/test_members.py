"""Roles and what each may do."""

from services.members import Permission, Role, list_permissions, may_grant


def test_member_with_some_events_has_no_right_over_all():
    some = list_permissions(Role.OWNER, has_all_events=False)

    assert Permission.MANAGE_MEMBERS not in some
    assert Permission.EDIT_EVENTS in some


def test_export_is_a_right_of_its_own():
    assert {role for role in Role if Permission.EXPORT_PEOPLE in list_permissions(role)} == {
        Role.OWNER,
        Role.EXPORTER,
    }


def test_nobody_gives_more_than_they_have():
    assert {role for role in Role if may_grant(Role.EXPORTER, role)} == {Role.VIEWER, Role.EXPORTER}
    assert not may_grant(Role.EDITOR, Role.APPROVER)
    assert all(may_grant(Role.OWNER, role) for role in Role)
