"""Providers that sign, and an answer of one."""

import pytest

from tests.sso.answers import ANA
from tests.support.saml_idp import Idp


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    """Somebody else's provider, which says that it is the first one."""
    return Idp(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def signed(idp: Idp) -> str:
    """An answer for Ana, as it came."""
    return idp.answer(ANA)
