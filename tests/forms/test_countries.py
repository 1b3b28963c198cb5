from forms.countries import list_country_groups


def list_labels(locale):
    ((_, options),) = list_country_groups(locale)
    return [option.label for option in options]


def test_every_code_of_iso_3166_is_offered_and_no_other():
    ((_, options),) = list_country_groups("ja")
    codes = {option.value for option in options}
    assert len(codes) == len(options) == 249
    assert {"JP", "TW", "HK", "GB", "PS", "AX"} <= codes
    assert codes.isdisjoint({"EU", "UN", "ZZ", "XK", "UK"})


def test_japanese_names_start_with_japan_and_follow_their_reading():
    labels = list_labels("ja")
    assert labels[0] == "日本"
    asked = [
        "ガーナ",
        "カナダ",
        "韓国",
        "北朝鮮",
        "台湾",
        "中国",
        "チュニジア",
        "南アフリカ",
        "ロシア",
    ]
    assert [label for label in labels if label in asked] == asked


def test_every_japanese_name_sorts_by_kana():
    from forms.countries import _READINGS

    ((_, options),) = list_country_groups("ja")
    unread = [
        o.label for o in options if o.value not in _READINGS and not "ァ" <= o.label[0] <= "ヿ"
    ]
    assert unread == []


def test_english_names_are_in_alphabetical_order():
    labels = list_labels("en")
    assert labels[:3] == ["Afghanistan", "Åland Islands", "Albania"]
    assert labels[-1] == "Zimbabwe"
