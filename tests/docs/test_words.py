"""Settings, events, mails and words: each is told, and nothing is told that is not there."""

import pytest

from nightlatch import config
from nightlatch.config import Config
from nightlatch.mail.messages import MESSAGES
from nightlatch.vocabulary import Event, Method, Permission, Role
from tests.docs import reading


def test_every_setting_is_told_and_no_other():
    told = reading.first_codes(reading.text_of("configuration.md"))
    names = [config.PREFIX + each for each in config.SETTINGS]
    names += [f"{config.PREFIX}{each}_FILE" for each in config.SECRETS]
    assert sorted(told) == sorted(names)


@pytest.mark.parametrize("setting", ["ORIGIN", "NAME", "HOST", "PORT", "WORKERS", "SIGN_UP"])
def test_defaults_are_told(setting):
    default = str(getattr(Config.from_environment({}), setting.lower()))
    told = {
        reading.code(cells[0])[0]: cells[1] for cells in reading.rows(reading.text_of("configuration.md"))
    }
    assert reading.code(told[config.PREFIX + setting]) == [default]


def test_every_event_is_told_and_no_other():
    told = reading.first_codes(reading.text_of("audit-events.md"))
    assert sorted(told) == sorted(each.value for each in Event)


def test_every_mail_is_told_and_no_other():
    assert sorted(reading.first_codes(reading.text_of("mails.md"))) == sorted(MESSAGES)


@pytest.mark.parametrize("words", [Role, Permission, Method], ids=lambda words: words.__name__)
def test_the_glossary_has_the_words(words):
    assert set(reading.code(reading.text_of("glossary.md"))) >= {each.value for each in words}
