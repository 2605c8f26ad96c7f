"""The command of this package."""

import argparse
import sys
from pathlib import Path

from .build import BuildError, build, replace

DESCRIPTION = """
Makes one file, the component with its manifest inside, of a folder that has a manifest.toml and an extension.py, which
may import what else is in the folder.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="occi-extension")
    commands = parser.add_subparsers(required=True, metavar="build")
    command = commands.add_parser("build", description=DESCRIPTION)
    command.add_argument("folder", type=Path, nargs="?", default=Path(), help="without it, the one that you are in")
    command.add_argument("--output", type=Path, metavar="FILE", help="without it, the folder's name with .wasm, here")
    command.add_argument(
        "--cache",
        type=Path,
        help="a folder of this extension's own, in which its component is kept as long as it would be the same",
    )
    return parser.parse_args()


def main() -> int:
    given = arguments()
    file = given.output or Path(f"{given.folder.resolve().name}.wasm")
    try:
        built = build(given.folder, given.cache)
        replace(file, built.extension)
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{file}: {len(built.extension) / 1e6:.1f} MB")
    print(f"exports {', '.join(built.exports)}")
    print(f"imports {', '.join(built.imports) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
