"""Monte Carlo dropout of 20 passes over 100,000 items of 256 features, beside Baal.

One network for both: 256 inputs, 256 hidden units, dropout of .3, 10 classes, the same weights. A cell predicts all
passes and chooses 100 items (10 for BatchBALD) by one heuristic; "passes" only predicts. Every cell is a process of
its own with one thread: the best of three runs (of one, where it takes longer than five seconds), and the most memory
that a run needed beyond the data (Linux). Baal's `predict_on_dataset` gets batches of 256 (32, 1024 and 4096 were no
clearer winners), no worker processes and no progress bar. It has no variation ratio; its Certainty,
one less the largest mean probability, stands in for it. Its BatchBALD asks for 75 GB at 100,000 items, so that it is
compared on 2,000 as well. `agree` is the share of the items chosen that both tools' formulas choose from one and the
same set of passes.

    pip install -r requirements-bench.txt
    python benchmarks/mc_dropout.py [--items 100000] [--only BALD]
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import forget_peak, in_process, resident

from labeling.classifiers.networks.perceptron import NetworkModel
from strategies import MCDropout, Pool

DROPOUT = 0.3
FEW = 2_000
OURS = {
    "entropy": "entropy",
    "BALD": "bald",
    "variation ratio": "variation_ratio",
    "BatchBALD": "batchbald",
    "BatchBALD, few": "batchbald",
}
BAAL = {
    "entropy": "Entropy",
    "BALD": "BALD",
    "variation ratio": "Certainty",
    "BatchBALD": "BatchBALD",
    "BatchBALD, few": "BatchBALD",
}
CELLS = ["passes", *OURS]


def network(options: argparse.Namespace) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Return items, and layers that tell clusters of them apart, not all with certainty."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(options.classes, options.dims))
    y = rng.integers(0, options.classes, size=options.items)
    X = (centers[y] + 3 * rng.normal(size=(options.items, options.dims))).astype(np.float32)
    first = (rng.normal(size=(options.dims, options.hidden)) * (0.2 / options.dims) ** 0.5).astype(np.float32)
    last = np.maximum(centers.astype(np.float32) @ first, 0).T * np.float32(3 / options.hidden**0.5)
    last -= last.mean(axis=1, keepdims=True)
    return X, [(first, np.zeros(options.hidden, np.float32)), (last, np.zeros(options.classes, np.float32))]


def size(name: str) -> int:
    return 10 if name.startswith("BatchBALD") else 100


def tally(name: str, options: argparse.Namespace) -> Callable[[], Any]:
    X, layers = network(options)
    model = NetworkModel(tuple(layers), DROPOUT)
    if name == "passes":
        return lambda: model.mc_proba(X, options.samples)
    strategy = MCDropout(OURS[name], samples=options.samples)

    def query() -> list[int]:
        pool = Pool(mc_proba=lambda samples: model.mc_proba(X, samples), key=np.arange(len(X)))
        return [pick.index for pick in strategy.select(pool, size(name), np.random.default_rng(0))]

    return query


def heuristic(name: str) -> Any:
    from baal.active import heuristics

    found = getattr(heuristics, BAAL[name])
    return found(num_samples=size(name)) if name.startswith("BatchBALD") else found()


def baal(name: str, options: argparse.Namespace) -> Callable[[], Any]:
    import torch
    from baal.bayesian.dropout import Dropout
    from baal.modelwrapper import ModelWrapper, TrainingArgs
    from torch.utils.data import TensorDataset

    torch.set_num_threads(1)
    X, layers = network(options)
    linear = []
    for weight, bias in layers:
        layer = torch.nn.Linear(*weight.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias)
        linear.append(layer)
    model = torch.nn.Sequential(linear[0], torch.nn.ReLU(), Dropout(DROPOUT), linear[1])
    settings = TrainingArgs(batch_size=options.baal_batch, workers=0, use_cuda=False)
    wrapper = ModelWrapper(model, settings)
    items = TensorDataset(torch.from_numpy(X))

    def query() -> Any:
        passes = wrapper.predict_on_dataset(items, iterations=options.samples, verbose=False)
        return passes if name == "passes" else heuristic(name)(passes)[: size(name)]

    return query


TOOLS = {"Tally": tally, "Baal": baal}


def agreement(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Share of items that both choose from the same passes, at most 10,000 items."""
    options.items = min(options.items, FEW if name.startswith("BatchBALD") else 10_000)
    X, layers = network(options)
    passes = NetworkModel(tuple(layers), DROPOUT).mc_proba(X, options.samples)
    picks = MCDropout(OURS[name], samples=options.samples).select(
        Pool(mc_proba=passes), size(name), np.random.default_rng(0)
    )
    theirs = heuristic(name)(passes.transpose(1, 2, 0).astype(float))[: size(name)]
    return {"agree": len({pick.index for pick in picks} & {int(each) for each in theirs}) / size(name)}


def cell(tool: str, name: str, options: argparse.Namespace) -> dict[str, float]:
    if name.endswith("few"):
        options.items = min(options.items, FEW)
    if tool == "both":
        return agreement(name, options)
    query = TOOLS[tool](name, options)
    forget_peak()
    before = resident("VmRSS")
    seconds: list[float] = []
    while len(seconds) < 3 and sum(seconds) < 5:
        start = time.perf_counter()
        query()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "megabytes": resident("VmHWM") - before}


def run(tool: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """The cell in a process of its own."""
    sizes = {key: getattr(options, key) for key in ("items", "dims", "hidden", "classes", "samples")}
    return in_process(__file__, {"cell": f"{tool}:{name}", "baal-batch": options.baal_batch} | sizes, options.limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--baal-batch", type=int, default=256)
    parser.add_argument("--limit", type=int, default=600, help="seconds a cell may take")
    parser.add_argument("--only", choices=CELLS)
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cell:
        tool, name = options.cell.split(":")
        print(json.dumps(cell(tool, name, options)))
        return
    print(f"{options.samples} passes over {options.items:,} x {options.dims}, {options.classes} classes, one thread")
    print(f"{'heuristic':<17}{'tool':<8}{'seconds':>9}{'times':>8}{'MB more':>9}{'agree':>8}")
    for name in CELLS:
        if options.only and name != options.only:
            continue
        own: float | None = None
        for tool in TOOLS:
            found = run(tool, name, options)
            if "error" in found:
                print(f"{name:<17}{tool:<8}  {found['error']}", flush=True)
                continue
            own = found["seconds"] if tool == "Tally" else own
            times = f"{found['seconds'] / own:.1f}" if own else "-"
            same = run("both", name, options) if tool == "Baal" and name != "passes" else {}
            agree = f"{same['agree']:.2f}" if "agree" in same else same.get("error", "")
            print(
                f"{name:<17}{tool:<8}{found['seconds']:>9.2f}{times:>8}{found['megabytes']:>9.0f}{agree:>8}", flush=True
            )


if __name__ == "__main__":
    main()
