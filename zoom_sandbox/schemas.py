"""Which bodies and queries each call takes, after Zoom's API description of 2026-08-09."""

import re
from collections.abc import Iterator
from typing import Any

from zoom_sandbox.answers import FieldError
from zoom_sandbox.validation import (
    Check,
    choice,
    country,
    day,
    digits,
    each,
    email,
    filled,
    flag,
    matching,
    number,
    record,
    text,
    time,
    timezone,
)

_ANY_OBJECT = record({}, open_ended=True)
_REMINDER = record({"enable": flag(), "type": number(0, 7)})


def _flags(names: str) -> dict[str, Check]:
    return {name: flag() for name in names.split()}


def _texts(names: str) -> dict[str, Check]:
    return {name: text() for name in names.split()}


def _objects(names: str) -> dict[str, Check]:
    return dict.fromkeys(names.split(), _ANY_OBJECT)


_SHARED_SETTINGS: dict[str, Check] = {
    "approval_type": choice(0, 1, 2),
    "registration_type": choice(1, 2, 3),
    "audio": choice("both", "telephony", "voip", "thirdParty"),
    "audio_conference_info": text(2048),
    "auto_recording": choice("local", "cloud", "none"),
    "additional_data_center_regions": each(text()),
    "global_dial_in_countries": each(text()),
    **_texts(
        "alternative_hosts authentication_domains authentication_option contact_email contact_name"
    ),
    **_flags(
        "allow_multiple_devices alternative_host_update_polls close_registration host_video "
        "meeting_authentication registrants_confirmation_email registrants_email_notification "
        "show_share_button show_join_info request_permission_to_unmute_participants "
        "allow_host_control_participant_mute_state email_in_attendee_report"
    ),
    **_objects("language_interpretation sign_language_interpretation question_and_answer"),
}

_BREAKOUT_ROOM = record(
    {"enable": flag(), "rooms": each(record({"name": text(), "participants": each(email())}))}
)

_MEETING_SETTINGS: dict[str, Check] = {
    **_SHARED_SETTINGS,
    "authentication_exception": each(record({"email": email(), "name": text()})),
    "breakout_room": _BREAKOUT_ROOM,
    "calendar_type": choice(1, 2),
    "custom_keys": each(record({"key": text(64), "value": text(256)}), most=10),
    "encryption_type": choice("enhanced_encryption", "e2ee"),
    "jbh_time": choice(0, 5, 10, 15),
    "meeting_invitees": each(record({"email": email()})),
    "resources": each(_ANY_OBJECT),
    "who_can_ask_questions": number(1, 5),
    "who_will_receive_summary": number(1, 4),
    **_texts("summary_template_id authentication_name enforce_login_domains"),
    **_flags(
        "alternative_hosts_email_notification alternative_host_manage_meeting_summary "
        "alternative_host_manage_cloud_recording host_pause_stop_recording cn_meeting "
        "email_notification enforce_login focus_mode in_meeting join_before_host mute_upon_entry "
        "participant_video private_meeting use_pmi waiting_room watermark host_save_video_order "
        "internal_meeting participant_focused_meeting push_change_to_calendar "
        "auto_start_meeting_summary auto_start_ai_companion_questions device_testing "
        "disable_participant_video auto_start_deepfake_detection"
    ),
    **_objects(
        "approved_or_denied_countries_or_regions auto_add_recording_to_video_management "
        "waiting_room_options continuous_meeting_chat"
    ),
}

_WEBINAR_SETTINGS: dict[str, Check] = {
    **_SHARED_SETTINGS,
    "registrants_restrict_number": number(0, 20_000),
    "attendees_and_panelists_reminder_email_notification": _REMINDER,
    "follow_up_attendees_email_notification": _REMINDER,
    "follow_up_absentees_email_notification": _REMINDER,
    **_texts("email_language survey_url"),
    **_flags(
        "hd_video hd_video_for_attendees panelist_authentication add_watermark "
        "add_audio_watermark on_demand panelists_invitation_email_notification panelists_video "
        "post_webinar_survey practice_session send_1080p_video_to_attendees "
        "enable_session_branding"
    ),
}

_PARTS_OF_RECURRENCE = record(
    {
        "type": choice(1, 2, 3),
        "repeat_interval": number(1, 99),
        "weekly_days": matching(re.compile("[1-7](,[1-7])*").fullmatch, "Must be like 1,3."),
        "monthly_day": number(1, 31),
        "monthly_week": choice(-1, 1, 2, 3, 4),
        "monthly_week_day": number(1, 7),
        "end_times": number(1, 60),
        "end_date_time": time(),
    },
    required=["type"],
)
_LONGEST_INTERVAL = {1: 99, 2: 50, 3: 10}


def _recurrence(value: Any, field: str) -> Iterator[FieldError]:
    errors = list(_PARTS_OF_RECURRENCE(value, field))
    yield from errors
    if not errors:
        longest = _LONGEST_INTERVAL[value["type"]]
        yield from number(1, longest)(value.get("repeat_interval", 1), f"{field}.repeat_interval")


_SHARED_MEETING: dict[str, Check] = {
    "topic": text(200),
    "agenda": text(2000),
    "duration": number(1, 1440),
    "password": text(10),
    "schedule_for": text(),
    "start_time": time(),
    "timezone": timezone(),
    "template_id": text(),
    "recurrence": _recurrence,
    "tracking_fields": each(record({"field": text(), "value": text()}, required=["field"])),
}

_MEETING: dict[str, Check] = {
    **_SHARED_MEETING,
    "type": choice(1, 2, 3, 8, 10),
    "pre_schedule": flag(),
    "sensitivity_label_id": text(),
}

_WEBINAR: dict[str, Check] = {
    **_SHARED_MEETING,
    "type": choice(5, 6, 9),
    "record_file_id": text(),
    "simulive_delay_start": _ANY_OBJECT,
    **_flags("is_simulive transition_to_live"),
}

STANDARD_FIELDS: dict[str, Check] = {
    "last_name": text(64),
    **_texts("address city state zip phone comments industry job_title org"),
    "country": country(),
    "no_of_employees": choice(
        "",
        "1-20",
        "21-50",
        "51-100",
        "101-500",
        "500-1,000",
        "1,001-5,000",
        "5,001-10,000",
        "More than 10,000",
    ),
    "purchasing_time_frame": choice(
        "", "Within a month", "1-3 months", "4-6 months", "More than 6 months", "No timeframe"
    ),
    "role_in_purchase_process": choice(
        "", "Decision Maker", "Evaluator/Recommender", "Influencer", "Not involved"
    ),
}

_NAME_AND_EMAIL: dict[str, Check] = {"email": email(), "first_name": filled(text(64))}

_REGISTRANT: dict[str, Check] = {
    **_NAME_AND_EMAIL,
    **STANDARD_FIELDS,
    "language": choice(
        "en-US",
        "de-DE",
        "es-ES",
        "fr-FR",
        "jp-JP",
        "pt-PT",
        "ru-RU",
        "zh-CN",
        "zh-TW",
        "ko-KO",
        "it-IT",
        "vi-VN",
        "pl-PL",
        "Tr-TR",
    ),
    "custom_questions": each(record({"title": text(), "value": text(128)}, required=["title"])),
}

_BATCH = each(
    record({**_NAME_AND_EMAIL, "last_name": text(64)}, required=_NAME_AND_EMAIL), least=1, most=30
)


def _questions(*types: str) -> Check:
    standard = record({"field_name": choice(*STANDARD_FIELDS), "required": flag()})
    custom = record(
        {
            "title": filled(text()),
            "type": choice(*types),
            "required": flag(),
            "answers": each(text()),
        },
        required=["title", "type"],
    )
    return record({"questions": each(standard), "custom_questions": each(custom)})


# A wrong key in place of `registrants` answers 204 without effect (zoom/api issue 21), hence open.
_STATUS = record(
    {
        "action": choice("approve", "cancel", "deny"),
        "registrants": each(record({"id": text(), "email": text()}), most=30),
    },
    required=["action"],
    open_ended=True,
)

BODIES: dict[tuple[str, str], Check] = {
    ("meeting", "create_meeting"): record(
        {**_MEETING, "default_password": flag(), "settings": record(_MEETING_SETTINGS)}
    ),
    ("meeting", "update_meeting"): record({**_MEETING, "settings": record(_MEETING_SETTINGS)}),
    ("webinar", "create_meeting"): record(
        {**_WEBINAR, "default_passcode": flag(), "settings": record(_WEBINAR_SETTINGS)}
    ),
    ("webinar", "update_meeting"): record(
        {**_WEBINAR, "settings": record({**_WEBINAR_SETTINGS, "notify_registrants": flag()})}
    ),
    ("meeting", "add_registrant"): record(
        {**_REGISTRANT, "auto_approve": flag()}, required=_NAME_AND_EMAIL
    ),
    ("webinar", "add_registrant"): record(
        {**_REGISTRANT, "source_id": text()}, required=_NAME_AND_EMAIL
    ),
    ("meeting", "add_batch"): record(
        {
            "auto_approve": flag(),
            "registrants_confirmation_email": flag(),
            "registrants": _BATCH,
        },
        required=["registrants"],
    ),
    ("webinar", "add_batch"): record(
        {"auto_approve": flag(), "registrants": _BATCH}, required=["registrants"]
    ),
    ("meeting", "set_status"): _STATUS,
    ("webinar", "set_status"): _STATUS,
    ("meeting", "set_questions"): _questions("short", "single"),
    ("webinar", "set_questions"): _questions(
        "short", "single_radio", "single_dropdown", "multiple"
    ),
}

_PAGING: dict[str, Check] = {
    "page_size": digits(1, 300),
    "page_number": digits(1, 10_000),
    "next_page_token": text(),
}
_PARTICIPANTS = {name: check for name, check in _PAGING.items() if name != "page_number"} | {
    "include_fields": choice("registrant_id")
}
_OCCURRENCE: dict[str, Check] = {"occurrence_id": text()}
_SWITCH = choice("true", "false")

_ONE_QUERY = {**_OCCURRENCE, "show_previous_occurrences": _SWITCH}
_LIST_QUERY = {**_PAGING, **_OCCURRENCE, "status": choice("pending", "approved", "denied")}

QUERIES: dict[tuple[str, str], Check] = {
    ("user", "get_user"): record(
        {"login_type": text(), "encrypted_email": _SWITCH, "search_by_unique_id": _SWITCH}
    ),
    ("user", "list_users"): record(
        {**_PAGING, "status": choice("active", "inactive", "pending"), "role_id": text()}
    ),
    ("meeting", "list_meetings"): record(
        {
            **_PAGING,
            "type": choice(
                "scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"
            ),
            "from": day(),
            "to": day(),
            "timezone": timezone(),
        }
    ),
    # The description has no `next_page_token` here, though its answer brings one.
    ("webinar", "list_meetings"): record(
        {**_PAGING, "type": choice("scheduled", "upcoming"), "include_events_webinar": _SWITCH}
    ),
    ("meeting", "delete_meeting"): record(
        {**_OCCURRENCE, "schedule_for_reminder": _SWITCH, "cancel_meeting_reminder": _SWITCH}
    ),
    ("webinar", "delete_meeting"): record({**_OCCURRENCE, "cancel_webinar_reminder": _SWITCH}),
    ("meeting", "list_registrants"): record(_LIST_QUERY),
    ("webinar", "list_registrants"): record({**_LIST_QUERY, "tracking_source_id": text()}),
    ("webinar", "get_registrant"): record(_OCCURRENCE),
    ("meeting", "list_instances"): record({"from": day(), "to": day()}),
    **{
        (kind, action): record(query)
        for kind in ("meeting", "webinar")
        for action, query in {
            "get_meeting": _ONE_QUERY,
            "update_meeting": _OCCURRENCE,
            "add_registrant": {"occurrence_ids": text()},
            "delete_registrant": _OCCURRENCE,
            "set_status": _OCCURRENCE,
            # Of the list only its answer says that it takes `include_fields`.
            "list_participants": _PARTICIPANTS,
            "report_participants": _PARTICIPANTS,
        }.items()
    },
}
