from forms.prefectures import list_prefecture_groups


def list_options(locale):
    return [option for group in list_prefecture_groups(locale) for option in group.options]


def test_codes_run_from_hokkaido_to_okinawa_then_abroad():
    expected = [*(f"JP-{number:02}" for number in range(1, 48)), "ZZ"]
    assert [option.value for option in list_options("ja")] == expected


def test_eight_regions_head_their_prefectures():
    groups = list_prefecture_groups("ja")
    sizes = {group.label: len(group.options) for group in groups}
    assert sizes == {
        "北海道": 1,
        "東北": 6,
        "関東": 7,
        "中部": 9,
        "近畿": 7,
        "中国": 5,
        "四国": 4,
        "九州・沖縄": 8,
        "": 1,
    }


def test_names_follow_the_language():
    labels_ja = {option.value: option.label for option in list_options("ja")}
    labels_en = {option.value: option.label for option in list_options("en")}
    assert (labels_ja["JP-13"], labels_en["JP-13"]) == ("東京都", "Tokyo")
    assert (labels_ja["JP-27"], labels_en["JP-27"]) == ("大阪府", "Osaka")
    assert (labels_ja["ZZ"], labels_en["ZZ"]) == ("海外", "Outside Japan")
