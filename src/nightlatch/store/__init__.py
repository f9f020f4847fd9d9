"""The store: schema, migrations, the two engines, one file an aggregate, and the one read behind a decision."""
