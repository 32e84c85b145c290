"""Target groups that follow their endpoints: what an event asks for, what is wanted, what is to be done about it."""
