"""What one event costs: our handler beside what a user would otherwise write, against recorded answers on loopback."""
