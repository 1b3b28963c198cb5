import pytest

from services.addresses import email_key, fold_tag


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Taro@Example.COM", "taro@example.com"),
        (" taro@example.com ", "taro@example.com"),
        ("taro@例え.jp", "taro@xn--r8jz45g.jp"),
    ],
)
def test_spellings_of_one_address_have_one_key(one, other):
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize("other", ["ta.ro@gmail.com", "taro+x@gmail.com", "taro@googlemail.com"])
def test_dots_tags_and_aliases_stay_different_people(other):
    assert email_key(other) != email_key("taro@gmail.com")


@pytest.mark.parametrize("text", ["", "taro", "taro@", "@", "taro@" + "例" * 300])
def test_what_is_no_address_is_compared_as_it_stands(text):
    assert email_key(text) == text


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("taro+x@example.com", "taro@example.com"),
        ("ta.ro+x@gmail.com", "taro@gmail.com"),
        ("t.a.r.o@googlemail.com", "taro@gmail.com"),
        ("ta.ro@example.com", "ta.ro@example.com"),
        ("+@gmail.com", "+@gmail.com"),
        ("...@gmail.com", "...@gmail.com"),
        ("", ""),
    ],
)
def test_limits_know_one_mailbox_by_its_spellings(address, mailbox):
    assert fold_tag(address) == mailbox
