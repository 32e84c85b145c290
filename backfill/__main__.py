"""`python -m backfill`, and nothing that takes long before Ctrl-C is seen to."""

import sys

_INTERRUPTED = 130


def _main() -> int:
    try:
        from backfill.command_line import main  # noqa: PLC0415  # takes most of a second
    except KeyboardInterrupt:
        return _INTERRUPTED
    return main()


if __name__ == "__main__":
    sys.exit(_main())
