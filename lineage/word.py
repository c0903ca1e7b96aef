"""Enumerations whose members are their text, and are hashed as that."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """A StrEnum for dictionaries on hot paths: an Enum is hashed by a function written in Python."""

    __hash__ = str.__hash__
