"""`nightlatch demo`."""

import os

import click

from nightlatch.cli.running import explained, fail, say_problems
from nightlatch.config import Config, ConfigError


@click.command()
@click.option("--fresh", is_flag=True, help="Make the world anew; what happened in it is lost.")
@click.option(
    "--product", metavar="URL", help="Also register Acme Notes, the demo's product, at this address."
)
def demo(fresh: bool, product: str | None) -> None:
    """Make the demo world and serve it on localhost: with an inbox and an authenticator app in the browser.

    It lies in NIGHTLATCH_DATA (default ./data-demo) and is kept for the next start.
    """
    from nightlatch.demo import folder

    try:
        config = folder.settings(os.environ)
    except ConfigError as error:
        say_problems(error)
    with explained():
        from nightlatch import logs, server
        from nightlatch.demo import world

        logs.configure()
        try:
            server.free_address(config.host, config.port)
            with folder.held(config.data):
                if fresh or folder.mark(config.data) != world.MADE:
                    folder.clear(config.data)
                    click.echo("Making the demo world ...")
                    world.make(config)
                server.prepare(config, demo=True)
                if product is not None:
                    from nightlatch.demo.product import prepare

                    prepare(config, product)
                click.echo(_who(config))
                server.run(config, demo=True)
        except folder.NotOurs as error:
            fail(str(error))


def _who(config: Config) -> str:
    """Who can sign in, and where everything is."""
    from nightlatch.demo import people

    lines = ["", f"The demo world is on {config.base_url}/", "", "Who can sign in at Acme:"]
    for part in people.MAIN:
        second = "2FA: the code is on the phone" if part.two_factor else "no 2FA yet"
        lines.append(f"  {part.name:<12} {part.email:<20} {part.role:<7} {second}")
    name, email = people.INVITED
    lines += [
        f"  {name:<12} {email:<20} invited; the link is in the inbox",
        f"Everybody's password: {people.PASSWORD}",
        "",
        f"Every mail:           {config.base_url}/demo/inbox",
        f"Authenticator app:    {config.base_url}/demo/phone",
        "",
        f"The world is kept in {config.data}; `nightlatch demo --fresh` makes it anew. Ctrl-C ends.",
        "",
    ]
    return "\n".join(lines)
