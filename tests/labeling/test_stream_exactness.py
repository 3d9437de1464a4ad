"""What is offered to a stream is kept as exactly as what is imported."""

from uuid import UUID

import numpy as np
import pytest

from labeling import Project
from strategies import LeastConfidence, VariableUncertainty


@pytest.fixture
def stream(sqlite_url):
    project = Project.create("live", labels=["no", "yes"], storage=sqlite_url)
    return project.stream_loop("live", strategy=LeastConfidence(), budget=VariableUncertainty(0.5), seed=1)


def items(stream, column):
    return stream._project.items()[column].to_list()


def test_keys_may_be_whole_numbers_and_are_exact(stream):
    large = 9007199254740993
    first = stream.offer({"text": "a"}, key=large)
    assert stream.offer({"text": "b"}, key=large - 1).item_id != first.item_id
    for same in (large, str(large), np.int64(large)):
        assert stream.offer({"text": "a"}, key=same).item_id == first.item_id
    assert stream.offer({"text": "c"}, key=UUID(int=1)).key == "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("key", [0.5, 9007199254740992.0, True, "", b"a"])
def test_other_keys_are_refused(stream, key):
    with pytest.raises(ValueError, match="A key is a text"):
        stream.offer({"text": "a"}, key=key)


def test_whole_numbers_beside_decimals_stay_exact(stream):
    stream.offer_many([{"text": "a", "n": 9007199254740993}, {"text": "b", "n": 0.5}, {"text": "c", "n": float("nan")}])
    assert items(stream, "n") == ["9007199254740993", "0.5", None]


def test_missing_texts_are_missing(stream):
    stream.offer_many([{"text": "a", "note": "x"}, {"text": "b", "note": float("nan")}, {"text": "c", "note": 5.0}])
    assert items(stream, "note") == ["x", None, "5"]


def test_decimals_too_large_to_be_exact_are_refused_as_text(stream):
    with pytest.raises(ValueError, match="too large to tell whole numbers apart"):
        stream.offer_many([{"text": "a", "n": "x"}, {"text": "b", "n": 9007199254740992.0}])


def test_bytes_that_are_no_picture_become_text(stream):
    stream.offer({"text": "a", "digest": b"\x01"})
    stream.offer({"text": "b", "digest": b"\x02"})
    assert items(stream, "digest") == [f"data:application/octet-stream;base64,{end}" for end in ("AQ==", "Ag==")]
    assert len(stream._project.ledger.imports.all()) == 1
