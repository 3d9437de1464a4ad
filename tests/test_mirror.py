"""The tests lie as the code does: a module has its test file, or stands here with the file that tests it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("labeling", "strategies", "storage", "ui")

ELSEWHERE = {
    "tests/browser/test_settings.py": [
        "ui/label_changes.py",
    ],
    "tests/browser/test_analysis.py": [
        "ui/rules/analysis.py",
        "ui/rules/changes.py",
        "ui/rules/form.py",
        "ui/rules/page.py",
        "ui/rules/suggestions.py",
    ],
    "tests/browser/test_annotate.py": [
        "ui/annotate/page.py",
    ],
    "tests/browser/test_export_page.py": [
        "labeling/commands/parts/server.py",
        "ui/export/page.py",
    ],
    "tests/browser/test_following.py": [
        "labeling/loops/refits/lease.py",
    ],
    "tests/browser/test_import_page.py": [
        "ui/data/importing.py",
        "ui/data/page.py",
    ],
    "tests/browser/test_loop.py": [
        "ui/loop/stop_rules.py",
        "ui/loop/new_loop.py",
        "ui/loop/page.py",
        "ui/loop/strategy_form.py",
    ],
    "tests/browser/test_offers.py": [
        "ui/annotate/offers.py",
        "ui/loop/held_back.py",
    ],
    "tests/browser/test_pages.py": [
        "ui/entry/main.py",
        "ui/parts/menu.py",
        "ui/parts/next_step.py",
        "ui/projects.py",
        "ui/weak_labels/explanations.py",
        "ui/weak_labels/label_checks.py",
        "ui/weak_labels/model_form.py",
        "ui/weak_labels/page.py",
    ],
    "tests/browser/test_stream_pages.py": [
        "ui/loop/stream_state.py",
    ],
    "tests/labeling/classifiers/features/test_pictures.py": [
        "labeling/classifiers/default.py",
    ],
    "tests/labeling/classifiers/networks/test_perceptron.py": [
        "labeling/classifiers/networks/training.py",
    ],
    "tests/labeling/classifiers/test_calibration.py": [
        "labeling/classifiers/linear.py",
    ],
    "tests/labeling/classifiers/test_sklearn.py": [
        "labeling/classifiers/features/columns.py",
    ],
    "tests/labeling/classifiers/test_text_and_tables.py": [
        "labeling/classifiers/features/text.py",
    ],
    "tests/labeling/commands/test_command_line.py": [
        "labeling/commands/import_items.py",
        "labeling/commands/refit.py",
        "labeling/commands/status.py",
        "labeling/commands/weak_label.py",
        "labeling/commands/export.py",
        "labeling/commands/manage.py",
        "labeling/commands/parts/options.py",
        "labeling/commands/parts/project_option.py",
        "labeling/commands/simulate.py",
        "labeling/commands/parts/terminal.py",
    ],
    "tests/labeling/demo/test_demo.py": [
        "labeling/demo/forum.py",
    ],
    "tests/labeling/demo/test_posts.py": [
        "labeling/demo_posts.py",
    ],
    "tests/labeling/formats/columns/test_supported.py": [
        "labeling/formats/columns/pandas_columns.py",
        "labeling/formats/columns/plain.py",
        "labeling/formats/columns/types.py",
        "labeling/formats/columns/values.py",
        "labeling/library_errors.py",
    ],
    "tests/labeling/formats/reading/test_json_file.py": [
        "labeling/formats/sources/source_file.py",
    ],
    "tests/labeling/formats/reading/test_tables.py": [
        "labeling/formats/reading/delimited.py",
        "labeling/formats/reading/json_rows.py",
        "labeling/formats/reading/kinds.py",
        "labeling/formats/reading/source_keys.py",
    ],
    "tests/labeling/formats/sources/test_sniffing.py": [
        "labeling/formats/sources/readable.py",
    ],
    "tests/labeling/formats/sources/test_source_limits.py": [
        "labeling/formats/sources/limits.py",
    ],
    "tests/labeling/formats/test_exchange.py": [
        "labeling/formats/columns/names.py",
        "labeling/formats/doccano.py",
        "labeling/formats/export_format.py",
        "labeling/formats/label_studio.py",
        "labeling/formats/prodigy.py",
        "labeling/formats/task_readers.py",
        "labeling/formats/writing/export_formats.py",
    ],
    "tests/labeling/formats/writing/test_tables.py": [
        "labeling/formats/writing/csv_file.py",
        "labeling/formats/writing/dataset_folder.py",
        "labeling/formats/writing/jsonl_file.py",
        "labeling/formats/writing/parquet_file.py",
    ],
    "tests/labeling/functions/test_lookups.py": [
        "labeling/functions/distributions.py",
    ],
    "tests/labeling/functions/test_makers.py": [
        "labeling/functions/base.py",
        "labeling/functions/code.py",
        "labeling/functions/fingerprint.py",
        "labeling/functions/function_words.py",
    ],
    "tests/labeling/labels/test_calibrating.py": [
        "labeling/labels/tempering.py",
        "labeling/loops/rounds/distributions.py",
    ],
    "tests/labeling/labels/test_exporting.py": [
        "labeling/labels/export_card.py",
    ],
    "tests/labeling/labels/test_resolving.py": [
        "labeling/labels/gold.py",
        "labeling/labels/records.py",
        "labeling/labels/sources.py",
        "labeling/tasks/label_frame.py",
        "storage/tables.py",
    ],
    "tests/labeling/loops/drift/test_detectors.py": [
        "labeling/loops/drift/features.py",
        "labeling/loops/drift/river.py",
    ],
    "tests/labeling/loops/pool/test_answers.py": [
        "labeling/people/annotations.py",
    ],
    "tests/labeling/loops/pool/test_loop.py": [
        "labeling/classifiers/base.py",
        "labeling/loops/refits/history.py",
        "labeling/loops/refits/keeping.py",
        "labeling/loops/refits/outcomes.py",
        "labeling/loops/refits/predictions.py",
        "labeling/loops/refits/ranking.py",
        "labeling/loops/refits/refit.py",
        "labeling/loops/refits/state.py",
        "labeling/loops/rounds/scoring.py",
    ],
    "tests/labeling/loops/pool/test_opening.py": [
        "labeling/arguments.py",
        "labeling/loops/settings.py",
    ],
    "tests/labeling/loops/pool/test_parts.py": [
        "labeling/loops/pool/queue.py",
        "labeling/loops/pool/refits.py",
        "labeling/loops/pool/rules_in_force.py",
        "labeling/loops/refits/settings.py",
    ],
    "tests/labeling/loops/refits/test_cross_fitting.py": [
        "labeling/loops/rounds/learning.py",
    ],
    "tests/labeling/loops/rounds/test_slices.py": [
        "labeling/loops/rounds/item_features.py",
    ],
    "tests/labeling/loops/stopping/test_forecast.py": [
        "storage/records.py",
    ],
    "tests/labeling/loops/stream/test_learning.py": [
        "labeling/loops/stream/online.py",
    ],
    "tests/labeling/loops/stream/test_loop.py": [
        "labeling/loops/stream/consumer.py",
        "labeling/loops/stream/decide.py",
        "labeling/loops/stream/decisions.py",
        "labeling/loops/stream/frontier.py",
        "labeling/loops/stream/history.py",
        "labeling/loops/stream/opening.py",
        "labeling/loops/stream/rule_posterior.py",
        "labeling/loops/stream/training.py",
        "storage/facts/asking/streams.py",
    ],
    "tests/labeling/people/test_answers.py": [],
    "tests/labeling/project/test_parts.py": [
        "labeling/project/items.py",
        "labeling/project/rules.py",
        "labeling/store/filters.py",
        "labeling/store/project_store.py",
    ],
    "tests/labeling/project/test_project.py": [
        "labeling/project/records.py",
    ],
    "tests/labeling/serialization/test_settings.py": [
        "labeling/serialization/names.py",
        "labeling/serialization/writing.py",
    ],
    "tests/labeling/store/imports/test_importing.py": [
        "labeling/store/imports/column_labels.py",
        "labeling/store/imports/reports.py",
    ],
    "tests/labeling/store/test_function_store.py": [
        "labeling/store/snapshots.py",
        "labeling/arrays.py",
        "labeling/store/function_comparison.py",
        "labeling/store/vote_cache.py",
        "storage/facts/items.py",
    ],
    "tests/labeling/store/test_near_duplicates.py": [
        "labeling/store/texts/words.py",
    ],
    "tests/labeling/store/test_items.py": [
        "labeling/store/holdout.py",
    ],
    "tests/labeling/votes/label_models/test_learned_label_models.py": [
        "labeling/votes/label_models/base.py",
        "labeling/votes/label_models/confusion.py",
        "labeling/votes/label_models/dawid_skene.py",
        "labeling/votes/label_models/robust.py",
        "labeling/votes/label_models/snorkel.py",
        "labeling/votes/label_models/weighted_vote.py",
        "labeling/votes/patterns.py",
    ],
    "tests/labeling/votes/test_matrix.py": [
        "labeling/votes/explanation.py",
    ],
    "tests/labeling/weak_labels/test_judging.py": [
        "labeling/labels/checks.py",
        "labeling/store/records.py",
        "labeling/weak_labels/judged.py",
    ],
    "tests/storage/test_ledger.py": [
        "storage/facts/people/annotations.py",
        "storage/facts/asking/asked.py",
        "storage/facts/bulk.py",
        "storage/facts/functions.py",
        "storage/facts/imports.py",
        "storage/facts/label_sets.py",
        "storage/facts/asking/loops.py",
        "storage/facts/asking/refit_blocks.py",
        "storage/facts/people/standing.py",
        "storage/people_tables.py",
        "storage/facts/visibility.py",
        "storage/schema.py",
        "storage/stream_tables.py",
    ],
    "tests/labeling/people/test_persons.py": [
        "storage/facts/people/persons.py",
    ],
    "tests/labeling/people/test_roles.py": [
        "storage/facts/people/roles.py",
    ],
    "tests/labeling/people/test_assignments.py": [
        "storage/facts/people/assignments.py",
    ],
    "tests/labeling/test_copied_projects.py": [
        "storage/upkeep/people.py",
        "storage/upkeep/copying.py",
    ],
    "tests/labeling/project/test_erasing.py": [
        "labeling/commands/upkeep/erase.py",
        "storage/upkeep/erasing.py",
    ],
    "tests/labeling/test_upkeep.py": [
        "labeling/commands/upkeep/backup.py",
        "labeling/commands/upkeep/copy.py",
        "labeling/commands/upkeep/repair.py",
        "labeling/commands/upkeep/verify.py",
        "storage/upkeep/backups.py",
        "storage/upkeep/checking.py",
        "storage/upkeep/counts.py",
        "storage/upkeep/dangling.py",
        "storage/upkeep/derived.py",
        "storage/upkeep/repairing.py",
    ],
    "tests/storage/test_shown.py": [
        "storage/damage.py",
    ],
    "tests/labeling/people/test_documents.py": [
        "storage/facts/documents.py",
    ],
    "tests/labeling/store/on_disk/test_item_snapshot.py": [
        "storage/facts/item_marks.py",
    ],
    "tests/labeling/people/test_item_history.py": [
        "labeling/people/remarks.py",
        "storage/facts/histories.py",
        "storage/facts/people/remarks.py",
    ],
    "tests/labeling/project/test_labels.py": [
        "storage/facts/people/reopened.py",
    ],
    "tests/labeling/loops/pool/test_shared_items.py": [
        "labeling/store/overlap.py",
    ],
    "tests/labeling/loops/pool/test_holders.py": [
        "storage/facts/asking/leases.py",
    ],
    "tests/labeling/loops/pool/test_concurrency.py": [
        "storage/facts/asking/refit_leases.py",
    ],
    "tests/strategies/test_budget.py": [
        "strategies/budget_state.py",
    ],
    "tests/strategies/test_contract.py": [
        "strategies/bandit.py",
        "strategies/baseline.py",
        "strategies/clusters.py",
        "strategies/pool.py",
    ],
    "tests/strategies/test_diversity.py": [
        "strategies/geometry.py",
        "strategies/gradients.py",
    ],
    "tests/test_packaging.py": [
        "ui/entry/serve.py",
    ],
    "tests/ui/test_guard.py": [
        "labeling/commands/parts/loopback.py",
    ],
    "tests/ui/annotate/test_stream_desk.py": [
        "labeling/loops/records.py",
    ],
    "tests/ui/compare/test_page.py": [
        "ui/compare/job.py",
        "ui/compare/simulations.py",
    ],
    "tests/ui/data/test_import_list.py": [
        "ui/data/import_preview.py",
    ],
    "tests/ui/loop/test_live.py": [
        "ui/loop/state.py",
    ],
    "tests/ui/parts/test_charts.py": [
        "ui/parts/loop_charts.py",
        "ui/rules/analysis_charts.py",
    ],
    "tests/ui/parts/test_markup.py": [
        "ui/annotate/card.py",
    ],
}
"""Modules that are parts of something larger, and are tested through that: by the file that does."""

LISTED = {module: tests for tests, modules in ELSEWHERE.items() for module in modules}
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.stem not in ("__init__", "__main__") and "migrations" not in path.parts
)


def own(module: str) -> Path:
    path = Path(module)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_test_file_or_is_listed(module):
    assert own(module).exists() != (module in LISTED), f"{module} needs one of tests/…/{own(module).name} and ELSEWHERE"


def test_what_is_listed_is_there():
    assert set(LISTED) <= set(MODULES)
    assert [tests for tests in ELSEWHERE if not (ROOT / tests).exists()] == []
