"""x"""


def export() -> None: ...
