import io

import numpy as np
import pytest

from labeling.classifiers.networks.arrays_file import dump_arrays, load_arrays


def test_arrays_come_back_with_their_types():
    named = {"a": np.arange(3, dtype=np.int8), "b": np.ones((2, 2), dtype=np.float32)}
    again = load_arrays(dump_arrays(named))
    assert {name: array.dtype for name, array in again.items()} == {"a": np.int8, "b": np.float32}
    np.testing.assert_array_equal(again["b"], named["b"])


def test_objects_are_not_written():
    with pytest.raises(TypeError, match="'code' holds Python objects"):
        dump_arrays({"code": np.array([print], dtype=object)})


def test_pickled_objects_are_not_read():
    content = io.BytesIO()
    np.savez(content, code=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        load_arrays(content.getvalue())


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x80\x04K\x01."], ids=["empty", "text", "pickle"])
def test_other_bytes_are_refused(content):
    with pytest.raises(ValueError, match=r"no stored model|[Pp]ickle"):
        load_arrays(content)
