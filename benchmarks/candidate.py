"""What a measured process runs: the handler of one file, on one event, again and again in the same process.

    python -S -P candidate.py FILE EVENT TIMES RESULT

It imports as little as it can, for all of it counts. RESULT is written as JSON: the processor seconds until the handler
was there, the most memory that the process had held after the first event, and for each event the processor seconds and
when it began and ended, by the clock that all processes of the machine share (time.monotonic()).
"""

import json
import runpy
import sys
import time
from pathlib import Path


def main(program: str, event_path: str, times: str, result_path: str) -> None:
    handler = runpy.run_path(program)["handler"]
    event = Path(event_path).read_text()
    import_cpu, peak_bytes = time.process_time(), None
    events = []
    for _ in range(int(times)):
        began, cpu = time.monotonic(), time.process_time()
        handler(json.loads(event), None)
        events.append({"began": began, "ended": time.monotonic(), "cpu_seconds": time.process_time() - cpu})
        peak_bytes = peak_bytes or _peak_bytes()
    told = {"import_cpu_seconds": import_cpu, "peak_bytes": peak_bytes, "events": events}
    Path(result_path).write_text(json.dumps(told))


def _peak_bytes() -> int | None:
    """None where the kernel does not say. getrusage would count what the parent held when it started this process."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
