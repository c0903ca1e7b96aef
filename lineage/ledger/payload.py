"""Record payloads at rest: zstd (RFC 8878) with a dictionary.

The dictionary comes from generated events only (``bench/ledger_dictionary.py``): one trained on received events would
outlive their erasure. Each ledger file holds every dictionary that its payloads name, so that the file alone is enough
to read it, also after the shipped dictionary was replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files

import zstandard

from lineage.ledger.damage import damaged

NEWEST_DICTIONARY = 1

# Most events have less than 16 KiB. In a window of that size zstd's greedy search runs over hash chains, which took two
# thirds of level 5's time (37 µs an event of 6 kB, not 53) for frames 0.5 % larger. Larger records take level 5.
_SMALL = 16 * 1024
_SMALL_SEARCH = {"window_log": 14, "hash_log": 16, "chain_log": 16, "search_log": 3, "min_match": 5, "target_length": 4}
_LARGE_LEVEL = 5
_FRAME = {"write_dict_id": False, "write_checksum": False, "write_content_size": True}
_MAX_BLOCK = 128 * 1024
"""What one block of a frame can hold (RFC 8878, section 3.1.1.2.4); a block takes three bytes at least. A damaged frame
may claim far more, and nothing is set aside for that."""
_TOGETHER = 8
"""From so many records on it pays to set up one call for all of them, which gives up the interpreter's lock once."""


@cache
def shipped_dictionary() -> bytes:
    """The newest dictionary that comes with this package, itself compressed, as a ledger file stores it."""
    return zstandard.ZstdCompressor(level=19).compress(_shipped())


@cache
def _shipped() -> bytes:
    return files("lineage.ledger").joinpath("dictionary", f"{NEWEST_DICTIONARY}.zdict").read_bytes()


class PayloadCodec:
    """Compresses with one dictionary, decompresses with any of the ledger's; ``zipped`` is by number.

    ``damaged`` are the numbers of the dictionaries that can't be used; the caller guarantees that none of them is when
    it compresses (:meth:`require_whole`). :meth:`compress` is for one thread at a time, :meth:`decompress` for any.
    """

    def __init__(self, zipped: Mapping[int, bytes]) -> None:
        self.number = max(zipped, default=NEWEST_DICTIONARY)
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        for number, one in zipped.items():
            with suppress(zstandard.ZstdError, MemoryError):
                self._add(number, zstandard.ZstdDecompressor().decompress(one))
        self.damaged = tuple(sorted({self.number, *zipped} - set(self._dictionaries)))
        self._local = threading.local()

    def _add(self, number: int, dictionary: bytes) -> None:
        if number == NEWEST_DICTIONARY and dictionary != _shipped():
            return
        if number == self.number:
            self._small = _compressor(dictionary, _small_parameters())
            self._large = _compressor(dictionary, _large_parameters())
        self._dictionaries[number] = zstandard.ZstdCompressionDict(dictionary)

    def require_whole(self) -> None:
        """Raises DataFolderError where a dictionary is damaged: some or all of the payloads can't be read then."""
        for number in self.damaged:
            raise damaged(f"Dictionary {number}, which payloads are compressed with,")

    def compress(self, records: Sequence[bytes]) -> list[bytes]:
        """Each record as one zstd frame of its own, with the newest dictionary (``number``)."""
        if len(records) < _TOGETHER or max(map(len, records)) > _SMALL or not any(records):
            return [(self._small if len(one) <= _SMALL else self._large).compress(one) for one in records]
        frames = self._small.multi_compress_to_buffer([*records])
        return [frames[number].tobytes() for number in range(len(records))]

    def decompress(self, number: int, frame: bytes) -> bytes:
        """The record again. Raises DataFolderError where the frame or its dictionary is damaged or missing."""
        decompressors: dict[int, zstandard.ZstdDecompressor] = vars(self._local).setdefault("by_number", {})
        try:
            if number not in decompressors:
                decompressors[number] = zstandard.ZstdDecompressor(dict_data=self._dictionaries[number])
            if zstandard.frame_content_size(frame) > len(frame) // 3 * _MAX_BLOCK:
                raise damaged("A payload")
            return decompressors[number].decompress(frame)
        except (KeyError, zstandard.ZstdError) as error:
            raise damaged("A payload") from error


def _small_parameters() -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters(strategy=zstandard.STRATEGY_GREEDY, **_SMALL_SEARCH, **_FRAME)


def _large_parameters() -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(_LARGE_LEVEL, **_FRAME)


def _compressor(dictionary: bytes, parameters: zstandard.ZstdCompressionParameters) -> zstandard.ZstdCompressor:
    prepared = zstandard.ZstdCompressionDict(dictionary)
    prepared.precompute_compress(compression_params=parameters)
    return zstandard.ZstdCompressor(dict_data=prepared, compression_params=parameters)
