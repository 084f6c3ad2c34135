"""The one exception that a command line catches."""


class WeirError(Exception):
    """A sentence for the person at the terminal: the command prints it and ends with status 1."""
