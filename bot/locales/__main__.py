"""`python -m bot.locales` writes the catalogues' files anew, and says what is left to translate."""

import sys

from bot.languages import LANGUAGES, SOURCE
from bot.locales.files import files, missing


def main() -> None:
    """Write all files, and tell how many sentences each language lacks."""
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for language in LANGUAGES:
        if language != SOURCE:
            left = missing(language)
            sys.stdout.write(f"{language}: {len(left)} to translate\n")
            sys.stdout.writelines(f"  {id_}\n" for id_ in left)


if __name__ == "__main__":
    main()
