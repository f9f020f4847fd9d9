"""`nightlatch simulate`: how a rollout goes, before it is your own."""

import json
import logging
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--people", type=click.IntRange(20, 100_000), default=500, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same number, the same play.")
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Write the chart there (SVG).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(people: int, seed: int, chart: Path | None, as_json: bool) -> None:
    """Play a rollout through: announced today, required in 14 days, watched for 42.

    Late readers, lost phones, mailboxes that take nothing, thieves of passwords and of a mailbox, and two admins who
    leave. By the real actions, on a database in a temporary folder that goes afterwards; nothing of yours is touched
    and no mail leaves. 5,000 people take some minutes.
    """
    from nightlatch.instants import DAY
    from nightlatch.simulation import report
    from nightlatch.simulation.play import LENGTH, Play

    logging.getLogger("nightlatch.mail").setLevel(logging.ERROR)  # mails that bounce are part of the play
    with tempfile.TemporaryDirectory(prefix="nightlatch-simulation-") as folder:
        play = Play(Path(folder), people, seed)
        for day in range(1, LENGTH // DAY + 1):
            play.day(day)
            if day % 7 == 0:
                click.echo(f"day {day}", err=True)
        told = play.end()
    if chart is not None:
        chart.write_text(report.chart(told), "utf-8")
    if as_json:
        click.echo(json.dumps(report.as_json(told), indent=2))
    else:
        click.echo("\n".join(report.lines(told)))
