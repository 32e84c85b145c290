"""`python -m emulator`: serve the emulated AWS over HTTP."""

import sys

from emulator.server import main

if __name__ == "__main__":
    sys.exit(main())
