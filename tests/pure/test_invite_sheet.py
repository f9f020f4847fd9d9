"""A CSV file of people to invite, as spreadsheets really write them."""

import pytest

from nightlatch.invite_sheet import MOST_ROWS, read_sheet
from nightlatch.refusals import Refused
from nightlatch.vocabulary import Role


def test_separators_marks_and_capitals_do_not_matter() -> None:
    for text in (
        "email,role\nana@example.com,admin\n",
        "\ufeffE-Mail;Role\r\nana@example.com;Admin\r\n",
        'name\trole\temail\n"Ana, R."\tadmin\t ana@example.com \n\n',
    ):
        (line,) = read_sheet(text)
        assert line.address is not None
        assert (line.address.display, line.role, line.why) == ("ana@example.com", Role.ADMIN, None)


def test_each_line_says_what_is_wrong_with_it() -> None:
    lines = read_sheet(
        "email;role\na@example.com;\nA@EXAMPLE.com;member\n;;\nnobody;member\nb@example.com;boss\n"
    )
    assert [(each.number, each.role, each.why is None) for each in lines] == [
        (2, Role.MEMBER, True),
        (3, None, False),
        (5, None, False),
        (6, None, False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "email\n",
        "name,role\nAna,admin\n",
        "email\na@example.com\ufffd\n",
        "email\na\0@example.com\n",
        "email\n" + "".join(f"p{number}@example.com\n" for number in range(MOST_ROWS + 1)),
    ],
)
def test_what_is_no_such_file_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_sheet(text)
    assert [each.field for each in refused.value.errors] == ["sheet"]
