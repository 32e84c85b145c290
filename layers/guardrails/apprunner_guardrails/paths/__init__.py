"""Private paths: from an API's clients to a service that is not on the internet."""
