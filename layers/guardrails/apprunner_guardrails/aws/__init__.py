"""The only package that imports the SDK: clients and retries in one place, one module a service."""
