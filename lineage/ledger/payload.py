"""Record payloads at rest: zstd (RFC 8878) with a dictionary.

The dictionary comes from generated events only (``bench/ledger_dictionary.py``): one trained on received events would
outlive their erasure. Each ledger file holds every dictionary that its payloads name, so that the file alone is enough
to read it, also after the shipped dictionary was replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import zstandard

from lineage.errors import DataFolderError

NEWEST_DICTIONARY = 1
_LEVEL = 5


@cache
def shipped_dictionary() -> bytes:
    """The newest dictionary that comes with this package, itself compressed, as a ledger file stores it."""
    data = files("lineage.ledger").joinpath("dictionary", f"{NEWEST_DICTIONARY}.zdict").read_bytes()
    return zstandard.ZstdCompressor(level=19).compress(data)


class PayloadCodec:
    """Compresses with one dictionary, decompresses with any of the ledger's; ``zipped`` is by number.

    :meth:`compress` is for one thread at a time, :meth:`decompress` for any.
    """

    def __init__(self, zipped: Mapping[int, bytes]) -> None:
        plain = zstandard.ZstdDecompressor()
        self._dictionaries = {n: zstandard.ZstdCompressionDict(plain.decompress(one)) for n, one in zipped.items()}
        self.number = max(self._dictionaries)
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, write_dict_id=False, write_checksum=False, write_content_size=True
        )
        newest = self._dictionaries[self.number]
        newest.precompute_compress(compression_params=parameters)
        self._compressor = zstandard.ZstdCompressor(dict_data=newest, compression_params=parameters)
        self._local = threading.local()

    def compress(self, record: bytes) -> bytes:
        """The record as one zstd frame, with the newest dictionary (``number``)."""
        return self._compressor.compress(record)

    def decompress(self, number: int, frame: bytes) -> bytes:
        """The record again. Raises DataFolderError where the frame or its dictionary is damaged or missing."""
        decompressors: dict[int, zstandard.ZstdDecompressor] = vars(self._local).setdefault("by_number", {})
        try:
            if number not in decompressors:
                decompressors[number] = zstandard.ZstdDecompressor(dict_data=self._dictionaries[number])
            return decompressors[number].decompress(frame)
        except (KeyError, zstandard.ZstdError) as error:
            raise DataFolderError("A payload in the ledger is damaged.", hint="Run `lineage fsck`.") from error
