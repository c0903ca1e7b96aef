"""What can be told of one touch alone: when it read and until when, which versions and contents it told."""

from __future__ import annotations

from lineage.timeline.contents import Content
from lineage.timeline.touch import DigestName, Touch, digest_name
from lineage.timeline.writes import LAST


def only_reads(touch: Touch | None) -> bool:
    """Whether a batch run did nothing but read, and tells neither a version nor a content."""
    return touch is None or not (
        touch.continuous
        or touch.writes
        or touch.ends
        or touch.reads is None
        or touch.renames_at is not None
        or any(told.versions or told.digests for told in touch.reads)
    )


def run_of(touch: Touch) -> tuple[str, str, str]:
    """The run, as the key of what it wrote begins."""
    return (touch.run_id, *touch.job)


def holds(outer: Touch, inner: Touch) -> bool:
    """Whether the interval of a batch run that writes holds another's."""
    if outer.continuous or inner.continuous or outer.end is None or inner.end is None or not outer.writes:
        return False
    if (outer.start, outer.end) == (inner.start, inner.end):
        return outer.rank < inner.rank
    return outer.start <= inner.start and inner.end <= outer.end


def reads_until(touch: Touch) -> int:
    """The last moment at which a continuous run can have met something; told ones may come after its end."""
    if touch.end is None:
        return LAST.at
    return max(touch.end, *(told.at for told in touch.reads or ()), touch.start)


def contents_told(touch: Touch) -> dict[str, Content]:
    """What a reader tells of the content of the version that it declares."""
    if len(touch.reads or ()) != 1:
        return {}
    (told,) = touch.reads or ()
    return {version: (told.at, told.digests) for version in told.versions if told.digests and len(told.versions) == 1}


def moments(touch: Touch) -> list[int]:
    """When a batch run read, and when a RENAME took the last version along."""
    moments = [touch.start] if touch.reads is not None and not touch.continuous else []
    return moments + ([touch.renames_at] if touch.renames_at is not None else [])


def digests_told(touch: Touch) -> list[tuple[DigestName, int]]:
    """The content hashes that were told as read, each with when."""
    found: dict[tuple[DigestName, int], None] = {}
    for told in touch.reads or ():
        for digest in told.digests:
            found[digest_name(digest), max(told.at, touch.start) if touch.continuous else touch.start] = None
    return list(found)


def versions_told(touch: Touch | None) -> set[str]:
    """The versions that were told, as read or as written."""
    if touch is None:
        return set()
    read = {version for told in touch.reads or () for version in told.versions}
    return read | {write.declared for write in touch.writes if write.declared}
