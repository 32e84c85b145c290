"""Calls and operations that failed: what they were about, what the account shows about the reason, and the way out.

asked.py     a failed call → the kind of refusal, and what was asked for          pure
seen.py      the facts that bear on it
read.py      which of them to read, and reading them
explain.py   a failed call and the facts → Explanation                             pure, with one module a subject
"""
