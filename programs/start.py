"""Starting a program (`python -m backfill`) so that nothing takes long before Ctrl-C is seen to."""

from importlib import import_module

INTERRUPTED = 130


def start(module: str) -> int:
    """Load the module, which may take most of a second, and call its `main`; the exit status."""
    try:
        program = import_module(module)
    except KeyboardInterrupt:
        return INTERRUPTED
    status: int = program.main()
    return status
