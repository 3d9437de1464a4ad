"""Roles are facts: the newest counts, and a project's own before one of the whole database."""

import pytest

from labeling import Project
from tests.labeling.pool_loops import LABELS, loop_of, project_of


def roles(project):
    return dict(project.people().select("name", "role").rows())


def test_the_newest_role_counts_and_a_projects_own_comes_first(storage_url):
    project = project_of(storage_url)
    other = Project.create("q", LABELS, storage=storage_url)
    loop_of(project).ask("bob", 1)
    assert roles(project) == {"bob": None}
    project.set_role("ann", "reviewer", by="lea", everywhere=True)
    project.set_role("bob", "annotator")
    project.set_role("bob", "lead", by="lea")
    assert roles(project) == {"ann": "reviewer", "bob": "lead"}
    assert roles(other) == {"ann": "reviewer"}
    project.set_role("ann", "none", by="bob")
    assert roles(project) == {"ann": "none", "bob": "lead"}
    assert roles(other) == {"ann": "reviewer"}


def test_a_merge_gives_nobody_a_role_of_the_other(storage_url):
    project = project_of(storage_url)
    project.set_role("ann", "lead")
    project.set_role("Ann", "annotator")
    project.merge_people("ann", "Ann")
    assert roles(project) == {"Ann": "annotator"}
    # Whatever is said of either name from then on is said of the one.
    project.set_role("ann", "reviewer")
    assert roles(project) == {"Ann": "reviewer"}
    project.unmerge_people("ann")
    assert roles(project) == {"Ann": "reviewer", "ann": "lead"}


def test_what_is_no_role_is_refused(sqlite_url):
    with pytest.raises(ValueError, match="one of 'annotator', 'reviewer', 'lead', 'none', got 'boss'"):
        project_of(sqlite_url).set_role("ann", "boss")


def test_a_project_with_roles_is_not_taken_back_as_an_empty_one(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.set_role("ann", "lead")
    assert project.ledger.withdraw() is False
    assert Project.open("p", storage_url).people()["role"].to_list() == ["lead"]
