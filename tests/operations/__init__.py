"""docs/operations.md, played: its commands are run one after another on a machine that has nothing yet."""
