"""What is read from an ID token beyond whether it is good: nothing is taken for more than it says."""

import pytest

from nightlatch.sso.id_token import LONGEST_VALUE, described
from nightlatch.sso.identity import Identity


@pytest.mark.parametrize("said", ["true", "yes", 1, ["true"], None, False])
def test_an_address_is_verified_where_the_provider_says_so_and_nowhere_else(said: object) -> None:
    found = described(Identity("u-1"), {"email": "ana@acme.example", "email_verified": said})
    assert (found.email, found.email_verified) == ("ana@acme.example", False)
    assert described(Identity("u-1"), {"email_verified": True}).email_verified


@pytest.mark.parametrize(
    "said", [7, ["ana@acme.example"], "", "ana\n@acme.example", "a" * (LONGEST_VALUE + 1)]
)
def test_what_is_no_text_of_one_line_is_left_out(said: object) -> None:
    found = described(Identity("u-1"), {"email": said, "name": said})
    assert (found.email, found.name) == (None, None)
