"""One label an item: read from annotations in one place."""

from dataclasses import dataclass

import numpy as np
import pytest

from labeling.tasks import single

POSITIONS = {0: 1, 7: 0}
"""The first class of a project has the id 0, which is an id like any other."""


@dataclass(frozen=True)
class Said:
    kind: str
    label_ids: tuple[int, ...] = ()


@pytest.mark.parametrize("class_id", [0, 7])
def test_what_is_stored_is_read_again(class_id):
    said = Said("answer", single.stored(class_id))
    assert single.class_of(said) == class_id
    assert single.position(said, POSITIONS) == POSITIONS[class_id]
    assert single.name_of(said, {0: "ok", 7: "spam"}) == {0: "ok", 7: "spam"}[class_id]


@pytest.mark.parametrize("said", [Said("unsure"), Said("undo"), Said("discard"), Said("skip")])
def test_what_names_no_class_has_none(said):
    assert (single.class_of(said), single.position(said, POSITIONS), single.name_of(said, {0: "ok"})) == (None,) * 3


def test_a_class_that_is_gone_has_no_position_and_no_name():
    said = Said("answer", (3,))
    assert (single.position(said, POSITIONS), single.name_of(said, {0: "ok"})) == (None, None)


def test_answers_of_several_people_are_counted_by_position():
    answers = [Said("answer", (0,)), Said("answer", (7,)), Said("answer", (0,)), Said("unsure"), Said("answer", (3,))]
    np.testing.assert_array_equal(single.merged(answers, POSITIONS), [1.0, 2.0])
