"""The operations that are killed, by name."""

from tests.faults.answering import AddingNotes, Answering, DiscardingGroups, Splitting, TakingOver, Undoing
from tests.faults.files import EXPORTS, Creating, LabelingFiles, Migrating
from tests.faults.keeping import BackingUp, Copying, ErasingItems, ErasingProjects
from tests.faults.learning import AddingRules, Importing, Refitting, WeakRunning

LEDGER = {
    "answer": Answering,
    "undo": Undoing,
    "tell_alike": TakingOver,
    "discard_group": DiscardingGroups,
    "note": AddingNotes,
    "split": Splitting,
    "import": Importing,
    "rules": AddingRules,
    "weak run": WeakRunning,
    "refit": Refitting,
    "copy": Copying,
    "erase items": ErasingItems,
    "erase a project": ErasingProjects,
}
"""Those that write to the ledger, over both databases."""

FILES = {
    "create": Creating,
    "migration": Migrating,
    "backup": BackingUp,
    "weak_label_file": LabelingFiles,
    **EXPORTS,
}
"""Those that write files, SQLite's own among them."""

OPERATIONS = LEDGER | FILES
