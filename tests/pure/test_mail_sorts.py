"""What sort each mail is, and that no stranger's words stand in the subject of a mail to somebody outside."""

import re
import unicodedata

import pytest

from nightlatch.mail.layout import Message
from nightlatch.mail.messages import MESSAGES, arguments, is_link, render
from nightlatch.mail.messages.sorts import MAILS, TO_OUTSIDERS, Sort
from tests.pure.test_messages import ORIGIN, TYPED, VALUES

HOSTILE = (
    "https://evil.example click",
    "Acme\r\nBcc: everybody@evil.example",
    "\N{RIGHT-TO-LEFT OVERRIDE}moc.live\N{POP DIRECTIONAL FORMATTING} now",
    "\N{RIGHT-TO-LEFT ISOLATE}evil\N{ZERO WIDTH SPACE}.example",
    "לחצו כאן",
    "Your account is locked, call 555 0100",
    "\N{FULLWIDTH LATIN SMALL LETTER E}vil\N{IDEOGRAPHIC FULL STOP}example",
)
WORD = re.compile(r"\w{3,}")
BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f\u061c")


def rendered(kind: str, typed: str | None = None, **more: object) -> Message:
    values = {
        name: typed if typed is not None and name in TYPED else VALUES[name] for name in arguments(kind)
    }
    return render(kind, values | more, product="Nightlatch", origin=ORIGIN)


def test_every_mail_says_its_sort_and_no_other_is_named() -> None:
    assert MAILS.keys() == MESSAGES.keys()
    assert MESSAGES.keys() >= TO_OUTSIDERS


def test_what_the_account_is_told_of_is_never_held_back() -> None:
    for kind in ("password_changed", "new_browser", "second_step_missing", "break_glass", "email_changed"):
        assert MAILS[kind] is Sort.SECURITY
    assert MAILS["invitation"] is Sort.UNASKED


@pytest.mark.parametrize("kind", sorted(TO_OUTSIDERS))
@pytest.mark.parametrize("typed", HOSTILE)
def test_no_strangers_word_is_in_the_subject_of_a_mail_to_somebody_outside(kind: str, typed: str) -> None:
    plain, hostile = rendered(kind), rendered(kind, typed)
    assert hostile.subject == plain.subject
    for name in ("workspace", "inviter", "by", "name"):
        if name in arguments(kind):
            assert str(VALUES[name]) not in plain.subject


@pytest.mark.parametrize("kind", sorted(MESSAGES))
@pytest.mark.parametrize("typed", HOSTILE)
def test_every_subject_is_one_line_without_links_or_reordering(kind: str, typed: str) -> None:
    subject = rendered(kind, typed).subject
    assert subject == " ".join(subject.split())
    assert not re.search(r"://|www\.|\w\.\w{2}", subject)
    assert not set(subject) & BIDI
    assert subject.count("\u2068") == subject.count("\u2069")
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Co", "Zl", "Zp") for each in subject)


@pytest.mark.parametrize("typed", HOSTILE)
def test_an_invitation_shows_strangers_names_in_quotation_marks(typed: str) -> None:
    text = " ".join(rendered("invitation", typed).text.split())
    said = re.search(r"“([^”]+)” invites you to join “([^”]+)” as", text)
    assert said is not None
    assert not re.search(r"://|\w\.\w{2}", said[0])
    assert not set(said[0]) & BIDI


def test_an_invitation_of_nobody_to_nowhere_is_still_a_sentence() -> None:
    text = " ".join(rendered("invitation", " \N{RIGHT-TO-LEFT OVERRIDE} ").text.split())
    assert "Somebody invites you to join a workspace as" in text


def test_only_invitations_can_be_unsubscribed_from() -> None:
    assert {kind for kind in MESSAGES if rendered(kind).unsubscribe} == {"invitation"}
    message = rendered("invitation")
    assert message.unsubscribe == VALUES["never_link"]
    assert message.text.count(message.unsubscribe) == 1


def test_a_copy_says_whose_it_is_and_that_it_is_one() -> None:
    for kind in ("password_changed", "second_factor_suspended", "new_browser", "email_changed"):
        values = {name: VALUES[name] for name in arguments(kind) if not is_link(name)}
        message = render(kind, values | {"copy_of": "ana@example.com"}, product="Nightlatch", origin=ORIGIN)
        said = " ".join(message.text.split())
        assert "Account: ana@example.com" in said
        assert "This is a copy" in said
        assert said.count("Account:") == 1
        for link in re.findall(r"https?://\S+", message.text):
            assert link.removeprefix(ORIGIN) in ("/settings/user", "/sign-in", "/password-reset"), kind
    with pytest.raises(TypeError, match="copy_of"):
        rendered("password_changed", copy_of=7)


@pytest.mark.parametrize("left, low", [(9, False), (3, False), (2, True), (1, True), (0, True)])
def test_few_recovery_codes_left_are_told_in_the_one_mail(left: int, low: bool) -> None:
    message = rendered("recovery_code_used", left=left)
    assert ("make new ones" in message.subject) == low
    assert ("make new ones in your settings now" in " ".join(message.text.split())) == low
    assert (str(left) if left else "none") in message.text


def test_the_mail_about_a_missing_second_step_signs_nobody_in() -> None:
    message = rendered("second_step_missing")
    assert re.findall(r"https?://\S+", message.text) == [f"{ORIGIN}/password-reset"]
    assert "Firefox on Windows" in message.text
    assert "203.0.113.9" in message.text
