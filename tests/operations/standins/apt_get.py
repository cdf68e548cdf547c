"""`apt-get`: installs nothing; says which packages are asked for, by names that Debian's could have."""

import re
import sys


def main() -> None:
    """Look at what is asked for."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if words[:1] not in (["update"], ["install"]):
        sys.exit(f"apt-get (stand-in): only update and install are played: {words}")
    for word in words[1:]:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", word):
            sys.exit(f"apt-get (stand-in): no package can have this name: {word}")
    print("apt-get (stand-in):", *words)


if __name__ == "__main__":
    main()
