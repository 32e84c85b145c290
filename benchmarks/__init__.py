"""What an event and an audit cost: our handlers beside what a user would otherwise write, against recorded answers."""
