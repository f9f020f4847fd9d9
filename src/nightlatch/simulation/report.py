"""What a simulation came to, as text and as a chart (SVG). Pure."""

from collections import defaultdict

from nightlatch.instants import DAY, HOUR, Duration
from nightlatch.simulation.play import NOTICE, Told

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 16, 44


def lines(told: Told) -> list[str]:
    """The findings, line by line."""
    found = [
        f"{told.people:,} people, seed {told.seed}; announced on day 0, required from day {NOTICE // DAY}."
    ]
    eve, last = told.days[NOTICE // DAY - 1], told.days[-1]
    found.append(
        f"Set up on the eve: {eve.set_up:,}. At the end: {last.set_up:,}, not yet: {last.not_set_up:,}."
    )
    found.append(f"Led to set-up at a click and in within the hour: {told.set_up_on_the_spot:,}.")
    found.append(f"Shut out for more than an hour: {len(told.shut_out):,}.")
    for why, lasted in _by_reason(told):
        half, longest = _time(lasted[len(lasted) // 2]), _time(lasted[-1])
        found.append(f"  {why}: {len(lasted):,}, half of them up to {half}, the longest {longest}")
    found.append(f"Mails: {told.mails.total():,}; most to one person: {told.most_mails}.")
    found += [f"Thieves, {what}: {number:,}" for what, number in sorted(told.tries.items())]
    found.append(f"Let in below what was required: {told.below_policy}.")
    return found


def _by_reason(told: Told) -> list[tuple[str, list[Duration]]]:
    grouped: defaultdict[str, list[Duration]] = defaultdict(list)
    for why, lasted in told.shut_out:
        grouped[why].append(lasted)
    return [(why, sorted(each)) for why, each in sorted(grouped.items())]


def _time(duration: Duration) -> str:
    return f"{duration / HOUR:.0f} h" if duration < 2 * DAY else f"{duration / DAY:.1f} days"


def chart(told: Told) -> str:
    """People by day: set up, not yet, shut out, one above the other. The dashed line is the day it is required from."""
    total = max(day.everybody for day in told.days)
    bands = [
        ("#2f7d5b", "set up", [(0, day.set_up) for day in told.days]),
        ("#c9d3dc", "not set up yet", [(day.set_up, day.set_up + day.not_set_up) for day in told.days]),
        ("#b3372f", "shut out", [(day.set_up + day.not_set_up, day.everybody) for day in told.days]),
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{told.people} people from the announcement on: set up, not set up yet, shut out</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for colour, _, band in bands:
        across = [_x(day.number, told) for day in told.days]
        low = [(x, _y(each[0], total)) for x, each in zip(across, band, strict=True)]
        high = [(x, _y(each[1], total)) for x, each in zip(across, band, strict=True)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*high, *reversed(low)])
        parts.append(f'<polygon points="{points}" fill="{colour}"/>')
    parts += _axes(told, total)
    for number, (colour, name, _) in enumerate(bands):
        x = _LEFT + 8 + number * 150
        parts.append(f'<rect x="{x}" y="{HEIGHT - 16}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="{HEIGHT - 7}" fill="#1c2733">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes(told: Told, total: int) -> list[str]:
    at = _x(NOTICE // DAY, told)
    bottom = HEIGHT - _BOTTOM
    parts = [
        f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}" stroke="#1c2733" stroke-dasharray="4 4"/>',
        f'<text x="{at + 6:.1f}" y="{bottom - 10}" fill="#ffffff">required from here</text>',
    ]
    for share in (0, 0.5, 1):
        y = _y(round(total * share), total)
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#1c2733">{round(total * share):,}</text>'
        )
    for day in range(7, len(told.days) + 1, 7):
        anchor = "end" if day == len(told.days) else "middle"
        parts.append(
            f'<text x="{_x(day, told):.1f}" y="{bottom + 15}" text-anchor="{anchor}" fill="#1c2733">day {day}</text>'
        )
    return parts


def _x(day: int, told: Told) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * day / len(told.days)


def _y(number: int, total: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * number / total


def as_json(told: Told) -> dict[str, object]:
    """The findings for programs; durations in hours."""
    return {
        "people": told.people,
        "seed": told.seed,
        "required_from_day": NOTICE // DAY,
        "days": [
            {"day": day.number, "set_up": day.set_up, "not_set_up": day.not_set_up, "shut_out": day.shut_out}
            for day in told.days
        ],
        "set_up_on_the_spot": told.set_up_on_the_spot,
        "shut_out": [{"why": why, "hours": round(lasted / HOUR, 1)} for why, lasted in told.shut_out],
        "mails": told.mails.total(),
        "most_mails_to_one": told.most_mails,
        "thieves": dict(told.tries),
        "below_policy": told.below_policy,
    }
