"""The only place that builds things: configuration in, a house with its parts out."""

from dataclasses import dataclass

from nightlatch.actions import notices_recheck
from nightlatch.clock import Clock
from nightlatch.config import Config
from nightlatch.keyring import KeyRing
from nightlatch.mail.drain import Post
from nightlatch.mail.senders import Sender, build_sender
from nightlatch.resolver import Resolver
from nightlatch.store import events, meta, migrate
from nightlatch.store.engine import Store, Transaction, Unavailable


class WrongKeys(Exception):
    """The keys are not those that this database was sealed with: refuse to start (law 11)."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that serving and the command line work with."""

    config: Config
    clock: Clock
    keys: KeyRing
    store: Store

    def sender(self) -> Sender:
        """A connection-free sender of mail by the configuration."""
        return build_sender(self.config.mail, show=print)

    def resolver(self) -> Resolver:
        """What asks DNS, by the configuration."""
        return Resolver(self.config.name_servers)

    def post(self) -> Post:
        """What the outbox is drained with."""
        config = self.config
        return Post(
            self.store,
            self.sender(),
            config.name,
            config.mail_from,
            config.base_url,
            self.clock,
            notices_recheck.why_untrue,
        )

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def load_keys(config: Config) -> KeyRing:
    """The ring from NIGHTLATCH_KEYS, else from the data folder, where it is made once."""
    if config.keys is not None:
        return KeyRing.parse(config.keys)
    return KeyRing.load_or_create(config.key_file)


def open_store(url: str, clock: Clock, keys: KeyRing, *, restoring: bool = False) -> Store:
    """The store of a database URL. `restoring`: also of one that is fenced off (store/fence.py)."""
    if migrate.is_sqlite(url):
        from nightlatch.store.sqlite import SqliteStore

        return SqliteStore(migrate.sqlite_path(url), clock, keys)
    try:
        from nightlatch.store.postgres import PostgresStore
    except ModuleNotFoundError as error:
        raise Unavailable('PostgreSQL needs the extra: pip install "nightlatch[postgres]"') from error
    return PostgresStore(url, clock, keys, restoring=restoring)


def build(config: Config, *, restoring: bool = False) -> House:
    """Open the house. The database must be migrated. Raises WrongKeys, Unavailable, and what the parts raise."""
    clock = Clock(config.test_clock)
    keys = load_keys(config)
    store = open_store(config.database_url, clock, keys, restoring=restoring)
    try:
        store.read_now(lambda tx: _raise_clock(tx, clock))
        if not store.read_now(_keys_match):
            store.write_now(_adopt_keys)
    except BaseException:
        store.close()
        raise
    return House(config, clock, keys, store)


def _raise_clock(tx: Transaction, clock: Clock) -> None:
    """What has been written is not in the future: the decision clock starts no earlier (law 12)."""
    last = events.last_at(tx)
    if last is not None:
        clock.raise_to(last)


def _keys_match(tx: Transaction) -> bool:
    """Whether the ring is the database's; False for a database that has no check value yet."""
    return see_keys(tx.keys, meta.read(tx, meta.KEY_CHECK))


def see_keys(keys: KeyRing, check: str | None) -> bool:
    """Whether a ring is the one that made a database's check value; False where there is none. Raises WrongKeys."""
    if check is None:
        return False
    if not keys.matches(bytes.fromhex(check)):
        raise WrongKeys(
            "These keys are not the ones that this database was sealed with. "
            "Set NIGHTLATCH_KEYS (or the key file in the data folder) to the ring it was made with."
        )
    return True


def _adopt_keys(tx: Transaction) -> None:
    if meta.read(tx, meta.KEY_CHECK) is None:
        meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex())
