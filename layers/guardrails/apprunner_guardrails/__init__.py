"""Guardrails for AWS App Runner's VPC networking: read AWS, decide purely, act thinly."""

import gc

# What is made while a process starts stays, and an event leaves few cycles behind: to look for some after every 2,000
# objects took a tenth of a cold start and freed next to nothing (docs/performance.md).
gc.set_threshold(50_000)

# The one place that says it (semver.org). It is in every alert, log line and call, and beside all metrics; CHANGELOG.md
# and the stack's output Version say the same, which tests hold.
__version__ = "1.0.0"
