"""A definite no of the venue: the documented code and a message that names the field."""

__all__ = ["Refused"]


class Refused(Exception):
    """Raised where a request is refused before it has any effect."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
