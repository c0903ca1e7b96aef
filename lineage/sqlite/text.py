"""Short bytes for text that is mostly hashes and UUIDs: what indexes are keyed by.

A lower-case UUID becomes 17 bytes, lower-case hexadecimal (with one of a few known prefixes) half its length and one
more; any other text stays as it is. Every text packs in one way only, and two texts never pack alike.

>>> len(pack("sha256:" + "0f" * 32)), pack("order-17")
(33, 'order-17')
"""

from __future__ import annotations

_PREFIXES = ("", "sha256:", "sha512:", "sha1:", "md5:", "blake3:", "xxh64:", "xxh128:")
_MARKS = {prefix: bytes((mark,)) for mark, prefix in enumerate(_PREFIXES)}
_UUID = 255
_UUID_LENGTH = 36


def pack(text: str) -> str | bytes:
    """The value to store for ``text``: bytes where that is shorter, else the text."""
    prefix, colon, digits = text.rpartition(":")
    mark = _MARKS.get(prefix + colon)
    if len(text) == _UUID_LENGTH and text[8] == "-":
        mark, digits = bytes((_UUID,)), text.replace("-", "")
    if mark is None or not digits:
        return text
    try:
        packed = mark + bytes.fromhex(digits)
    except ValueError:
        return text
    return packed if unpack(packed) == text else text


def unpack(value: str | bytes) -> str:
    """The text that was packed."""
    if isinstance(value, str):
        return value
    digits = value[1:].hex()
    if value[0] == _UUID:
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return _PREFIXES[value[0]] + digits
