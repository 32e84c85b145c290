"""Guardrails for AWS App Runner's VPC networking: read AWS, decide purely, act thinly."""

# The one place that says it (semver.org). It is in every alert, log line and call, and beside all metrics; CHANGELOG.md
# and the stack's output Version say the same, which tests hold.
__version__ = "1.0.0"
