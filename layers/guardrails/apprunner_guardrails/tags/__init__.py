"""Ownership tags: who made what, and with what. Deciding (created, people, plan) is pure; tagging acts."""
