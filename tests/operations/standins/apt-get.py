#!/stand-ins/python
"""Installs nothing: says which packages are asked for, by names that Debian's could have."""

import re
import sys

words = [word for word in sys.argv[1:] if not word.startswith("-")]
if words[:1] not in (["update"], ["install"], ["remove"]):
    sys.exit(f"apt-get: only update, install and remove are played here: {words}")
for word in words[1:]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", word):
        sys.exit(f"apt-get: no package can have this name: {word}")
print("apt-get (stand-in):", *words)
