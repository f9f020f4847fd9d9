"""What the content security policy and the promises about the pages ask of templates, modules and icons."""

import re
from importlib.resources import files

import pytest
from jinja2 import Environment, FileSystemLoader, meta

WEB = files("nightlatch.web")
TEMPLATES = {item.name: item.read_text() for item in WEB.joinpath("templates").iterdir()}
STATIC = {item.name: item.read_text() for item in WEB.joinpath("static").iterdir()}
SCRIPTS = [name for name in STATIC if name.endswith(".js")]
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_nothing_is_inline_or_from_elsewhere(name: str) -> None:
    text = COMMENT.sub("", TEMPLATES[name])
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"<script(?! type=\"module\" src=\"\{\{ static\()", text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_only_the_qr_code_is_put_in_as_it_is(name: str) -> None:
    assert set(re.findall(r"(\w+)\s*\|\s*safe", TEMPLATES[name])) <= {"qr_svg"}
    assert "autoescape" not in TEMPLATES[name]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_form_that_changes_something_carries_the_csrf_value(name: str) -> None:
    for form in re.findall(r"<form method=\"post\".*?(?:</form>|\Z)", TEMPLATES[name], re.DOTALL):
        assert 'name="csrf" value="{{ csrf }}"' in form


def test_every_icon_is_drawn_and_every_drawing_used() -> None:
    drawn = set(re.findall(r"<symbol id=\"([a-z-]+)\"", STATIC["icons.svg"]))
    pages = "".join(COMMENT.sub("", text) for text in TEMPLATES.values())
    for name in drawn:
        assert f'"{name}"' in pages, f"nothing uses the icon {name}"
    for name in re.findall(r"\bicon\(\"([a-z-]+)\"", pages):
        assert name in drawn


def test_templates_compile_and_name_files_that_exist() -> None:
    environment = Environment(loader=FileSystemLoader(str(WEB.joinpath("templates"))), autoescape=True)
    for name, text in TEMPLATES.items():
        environment.get_template(name)
        for other in meta.find_referenced_templates(environment.parse(text)):
            assert other in TEMPLATES
        for file in re.findall(r"static\(['\"]([^'\"]+)['\"]\)", COMMENT.sub("", text)):
            assert file in STATIC


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_modules_use_no_sink_that_trusted_types_forbid(name: str) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|DOMParser", STATIC[name]
    )


def test_the_pages_stay_light() -> None:
    assert sum(len(STATIC[name].encode()) for name in SCRIPTS) <= 12 * 1024
    assert len(STATIC["nightlatch.css"].encode()) <= 32 * 1024
