"""`journalctl`: shows what a unit wrote that the stand-in for systemctl has started."""

import argparse
from pathlib import Path


def main() -> None:
    """Show the last lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--unit", required=True)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--no-pager", action="store_true")
    asked = parser.parse_args()
    unit = asked.unit if "." in asked.unit else f"{asked.unit}.service"
    text = Path("/var/log/units", unit).read_text(encoding="utf-8")
    print(*text.splitlines()[-asked.lines :], sep="\n")


if __name__ == "__main__":
    main()
