#!/stand-ins/python
"""Shows what a unit that the stand-in for systemctl has started wrote."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--unit", "-u", required=True)
parser.add_argument("--lines", "-n", type=int, default=10)
parser.add_argument("--since")
parser.add_argument("--no-pager", action="store_true")
asked = parser.parse_args()
unit = asked.unit if "." in asked.unit else f"{asked.unit}.service"
print(*Path("/var/log/units", unit).read_text().splitlines()[-asked.lines :], sep="\n")
