"""What a measured process runs: the handler of one module, on one event, again and again in the same process.

    python -S -P candidate.py FOLDER MODULE EVENT TIMES RESULT

It imports as little as it can, for all of it counts, and imports the module as Lambda does, with its bytecode where
there is some. RESULT is written as JSON: the processor seconds until the handler was there, the most memory that the
process had held after the first event, how many modules it had by then, and for each event the processor seconds and
when it began and ended, by the clock that all processes of the machine share (time.monotonic()).
"""

import json
import sys
import time


def main(folder: str, module: str, event_path: str, times: str, result_path: str) -> None:
    sys.path.insert(0, folder)
    handler = __import__(module).handler
    with open(event_path) as file:  # noqa: PTH123  # pathlib is not for free
        event = file.read()
    import_cpu, peak_bytes, modules = time.process_time(), None, 0
    events = []
    for _ in range(int(times)):
        began, cpu = time.monotonic(), time.process_time()
        handler(json.loads(event), None)
        events.append({"began": began, "ended": time.monotonic(), "cpu_seconds": time.process_time() - cpu})
        peak_bytes, modules = peak_bytes or _peak_bytes(), modules or len(sys.modules)
    told = {"import_cpu_seconds": import_cpu, "peak_bytes": peak_bytes, "modules": modules, "events": events}
    with open(result_path, "w") as file:  # noqa: PTH123
        json.dump(told, file)


def _peak_bytes() -> int | None:
    """None where the kernel does not say. getrusage would count what the parent held when it started this process."""
    try:
        with open("/proc/self/status") as file:  # noqa: PTH123
            lines = file.readlines()
    except FileNotFoundError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
