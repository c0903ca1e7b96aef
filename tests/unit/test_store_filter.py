"""Which of many edges count is what is said of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lineage.model import Edge, EdgeKind, Evidence
from lineage.store import EdgeFilter

_MOMENT = st.none() | st.integers(0, 3)
_EDGE = st.builds(
    Edge,
    st.sampled_from(EdgeKind),
    st.just(bytes(16)),
    st.just(bytes(16)),
    evidence=st.sampled_from(Evidence),
    certain=st.booleans(),
    stale=st.booleans(),
    at=_MOMENT,
    until=_MOMENT,
)
_FILTER = st.builds(EdgeFilter) | st.builds(
    EdgeFilter, st.sampled_from(Evidence), st.booleans(), st.booleans(), st.none() | st.integers(0, 3)
)


@given(_FILTER, st.lists(_EDGE, max_size=8))
def test_of_many_edges_those_that_are_admitted(admitted: EdgeFilter, edges: list[Edge]) -> None:
    assert admitted.admitted(edges) == [edge for edge in edges if admitted.admits(edge)]
