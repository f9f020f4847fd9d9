"""The pages that tests/browser follows word by word: nothing on them is left out silently."""

from tests.support.guide import Guide


def test_what_django_md_is_made_of() -> None:
    assert Guide("django.md", 8000, 8001).kinds() == {"python", "html", "console", "cron"}


def test_what_fastapi_md_is_made_of() -> None:
    guide = Guide("fastapi.md", 8000, 8001)
    names = {name for name, _, _ in guide.pieces()}
    assert sorted(names) == ["product.py", "test_product.py", "two_factor.py", "users.py"]
    assert guide.kinds() == {"python", "console"}
