"""What the documents point to is there: every page in the index, every named test in the repository."""

import re

import pytest

from tests.docs import reading

PAGES = sorted(reading.DOCS.glob("**/*.md"))
NAMING_TESTS = ("threat-model.md", "standards.md", "performance.md", "architecture.md", "contributing.md")


def test_the_index_has_every_page():
    index = reading.text_of("index.md")
    linked = {(reading.DOCS / each).resolve() for each in re.findall(r"\]\(([^)#]+\.md)", index)}
    assert {each for each in PAGES if each.name != "index.md"} <= linked


@pytest.mark.parametrize("name", NAMING_TESTS)
def test_the_tests_that_it_names_exist(name):
    for path in re.findall(r"`(tests/[\w./-]+)`", reading.text_of(name)):
        assert (reading.ROOT / path).exists(), path


def test_the_catalogue_is_whole_and_each_class_is_shown_or_not_built_yet():
    table = {
        cells[0]: cells
        for cells in reading.rows(
            reading.section(reading.text_of("threat-model.md"), "Failures that others had")
        )
    }
    assert sorted(table) == [f"F{number:02}" for number in range(1, 52)]
    for _, _, answer, shown in table.values():
        assert reading.code(shown) or (shown == "-" and "not built yet" in answer)


def test_the_requirements_are_met_or_it_is_said_why_not():
    for _, asked, met, where in reading.rows(reading.text_of("standards.md")):
        assert met in ("met", "in part", "not met", "later"), asked
        assert where or met == "later", asked


def test_the_page_of_figures_has_room_for_them():
    assert re.search(
        r"<!-- measured: begin -->.+<!-- measured: end -->", reading.text_of("performance.md"), re.DOTALL
    )


def test_every_line_of_the_log_is_in_the_runbook():
    said = {
        match[1].split("%")[0].strip(" :;,(")
        for file in (reading.ROOT / "src").glob("**/*.py")
        for match in re.finditer(
            r"\blog\.(?:info|warning|error|exception|critical)\(\s*\"([^\"]+)\"",
            file.read_text().replace("_log.", " log."),
        )
    }
    told = reading.section(reading.text_of("runbook.md"), "What the log says")
    assert said
    assert {each for each in said if each not in told} == set()
