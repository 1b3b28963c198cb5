"""Who came as cells of a table."""

from __future__ import annotations

from datetime import datetime, tzinfo

from .attendance import Reason, Standing, Verdict

HEADINGS = {
    "ja": ("出欠", "最初の入室", "最後の退室", "参加時間（分）"),
    "en": ("Attendance", "First joined", "Last left", "Minutes attended"),
}

_WORDS: dict[str, dict[Standing | Reason, str]] = {
    "ja": {
        Standing.ATTENDED: "参加",
        Standing.ABSENT: "欠席",
        Standing.UNCLEAR: "不明",
        Reason.NOT_RECORDED: "記録なし",
        Reason.NOT_READY: "Zoomの記録が未確定",
        Reason.UNRECOGNISED: "特定できない参加者あり",
        Reason.NOT_REGISTERED: "Zoomに未登録",
        Reason.NOT_HELD: "開催前または開催の記録なし",
    },
    "en": {
        Standing.ATTENDED: "attended",
        Standing.ABSENT: "absent",
        Standing.UNCLEAR: "unclear",
        Reason.NOT_RECORDED: "not recorded",
        Reason.NOT_READY: "Zoom's record is not finished",
        Reason.UNRECOGNISED: "people nobody can tell",
        Reason.NOT_REGISTERED: "not registered at Zoom",
        Reason.NOT_HELD: "not held",
    },
}


def write_cells(verdict: Verdict, zone: tzinfo, locale: str) -> list[str]:
    """Write a verdict under the headings; times are those of the event's zone."""
    words = _WORDS[locale]
    text = words[verdict.standing]
    if verdict.reason is not None:
        reason = words[verdict.reason]
        text += f"（{reason}）" if locale == "ja" else f" ({reason})"
    presence = verdict.presence
    if presence is None:
        return [text, "", "", ""]
    times = (presence.first_joined_at, presence.last_left_at)
    return [text, *(write_time(at, zone) for at in times), str(count_minutes(presence.seconds))]


def count_minutes(seconds: int) -> int:
    """Return minutes that were begun: whoever was there for some seconds was there."""
    return -(-seconds // 60)


def write_time(at: datetime, zone: tzinfo) -> str:
    """Write a moment as spreadsheets read it, to the second and in a zone."""
    return at.astimezone(zone).isoformat(" ", "seconds")[:19]
