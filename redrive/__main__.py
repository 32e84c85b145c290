import sys

from programs.start import start

if __name__ == "__main__":
    sys.exit(start("redrive.command_line"))
