"""Guardrails for AWS App Runner's VPC networking: read AWS, decide purely, act thinly."""
