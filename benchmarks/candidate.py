"""What a measured process runs: the handler of one file, on one event, again and again in the same process.

    python -S -P candidate.py FILE EVENT TIMES RESULT

It imports as little as it can, for all of it counts. RESULT is written as JSON: the processor seconds until the handler
was there and those of the first event, the most memory that the process had held by then, and the time of later events.
"""

import json
import runpy
import sys
import time
from pathlib import Path


def main(program: str, event_path: str, times: str, result_path: str) -> None:
    handler = runpy.run_path(program)["handler"]
    event = Path(event_path).read_text()
    import_cpu = time.process_time()
    handler(json.loads(event), None)
    first_cpu, peak_bytes = time.process_time() - import_cpu, _peak_bytes()
    again = []
    for _ in range(int(times) - 1):
        wall, cpu = time.perf_counter(), time.process_time()
        handler(json.loads(event), None)
        again.append({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu})
    told = {"import_cpu_seconds": import_cpu, "first_cpu_seconds": first_cpu, "peak_bytes": peak_bytes, "again": again}
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
