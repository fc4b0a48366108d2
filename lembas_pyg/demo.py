"""The whole way on the toy network: reference data, training, recovery, knock-outs, a picture."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis import knock_out
from lembas_pyg.checkpoint import activation_of, load_parameters, to_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.datasets.toy_network import FOLDER
from lembas_pyg.io import (
    read_interactions,
    write_annotation,
    write_conditions,
    write_interactions,
    write_parameters,
    write_tsv,
)
from lembas_pyg.io.replace import replace_file
from lembas_pyg.metrics import pearson_r
from lembas_pyg.network import to_annotation, to_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.plot import (
    plot_fit,
    plot_history,
    plot_knock_out,
    plot_network,
    plot_parameters,
)
from lembas_pyg.plot.canvas import require_matplotlib
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure, split_conditions
from lembas_pyg.training import TrainingConfig, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DemoResult", "run_demo"]

# Columns of the text are joined by what they are called in the paper's parameter format.
_KEYS = ["Source", "Target", "Type"]


@dataclass(frozen=True)
class DemoResult:
    """What `run_demo` found; ``str(result)`` says it in words.

    Attributes:
        folder: Where the files are.
        files: Their names, in the order of the work.
        seed: Of split, initial parameters and training.
        seconds: Time the training took.
        train_r: Pearson r of predicted and reference TF activity, training conditions.
        test_r: The same for the conditions left out of training.
        weight_r: Pearson r of fitted and true interaction weights.
        knock_out_r: Pearson r of knock-out effects, trained and reference model.
        parameters: `source`, `target`, `type`, `true`, `fitted`: weights and biases.
        predictions: `set` (train or test), `condition`, `tf`, `measured`, `predicted`.
        knock_outs: As `lembas_pyg.analysis.knock_out` of the trained model under the test
            conditions, with `reference_delta` of the reference model.
        history: One row an epoch, see `lembas_pyg.training.History`.
    """

    folder: Path
    files: tuple[str, ...]
    seed: int
    seconds: float
    train_r: float
    test_r: float
    weight_r: float
    knock_out_r: float
    parameters: pd.DataFrame
    predictions: pd.DataFrame
    knock_outs: pd.DataFrame
    history: pd.DataFrame

    def summary(self) -> str:
        """The findings in words and small tables, for a terminal of 80 columns."""
        weights = self.parameters[self.parameters["type"] == "Weight"]
        biases = self.parameters[self.parameters["type"] == "Bias"]
        num_train, num_test = ((self.predictions["set"] == s).sum() for s in ("train", "test"))
        lines = [
            "Toy network of Nilsson et al. (2022), Fig. 2: 7 nodes, 8 interactions.",
            f"Trained on {num_train} conditions, tested on {num_test} others "
            f"({len(self.history):,} epochs, {self.seconds:.0f} s, seed {self.seed}).",
            "",
            f"TF activity, Pearson r          train {self.train_r:.4f}   test {self.test_r:.4f}",
            f"Interaction weights, Pearson r  {self.weight_r:.4f}",
            f"Knock-out effects, Pearson r    {self.knock_out_r:.4f}",
            "",
            "Weights                  true  fitted",
        ]
        for row in weights.itertuples():
            name = f"{row.source} {'->' if row.true >= 0 else '-|'} {row.target}"
            lines.append(f"  {name:<20}{row.true:7.2f} {row.fitted:7.2f}")
        lines += ["Biases are 0 in the reference; fitted:"]
        lines += ["  " + "  ".join(f"{r.source} {r.fitted:+.2f}" for r in biases.itertuples())]
        lines += [
            "  (those of the ligands are held at 0 by a term of the loss, not by the data)",
            "",
            "Knock-outs under test conditions, mean change of T1    trained  reference",
        ]
        mean = self.knock_outs.groupby("node")[["delta", "reference_delta"]].mean()
        mean = mean.loc[mean["delta"].abs().sort_values(ascending=False).index]
        lines += [
            f"  {node:<53}{row['delta']:+7.3f}  {row['reference_delta']:+9.3f}"
            for node, row in mean.iterrows()
        ]
        lost = int(self.knock_outs[["delta", "reference_delta"]].isna().any(axis="columns").sum())
        if lost:
            lines.append(f"  ({lost} of {len(self.knock_outs)} without steady state left out)")
        lines += ["", f"Files in {self.folder}:", *_wrap(self.files)]
        lines += ["Look at demo.png first; docs/command-line.md tells what is in the tables."]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()


def run_demo(folder: str | Path, *, seed: int = 0, progress: bool | None = None) -> DemoResult:
    """Train the embedded toy network on data of its reference model, and see what is recovered.

    Works offline and writes only its own files, replacing those of an earlier run: the tables to
    go on with (``toy-Model.tsv``, ``toy-Annotation.tsv``, ``ligands.tsv``, ``tfs.tsv``,
    ``parameters.tsv``), the findings (``predictions.tsv``, ``recovered-parameters.tsv``,
    ``knock-out.tsv``, ``history.tsv``) and ``demo.png``.

    Args:
        folder: Where to write; made if it is not there.
        seed: Of split, initial parameters and training.
        progress: Show a progress bar; on a terminal only if None.

    Returns:
        The findings; ``summary()`` says them in words.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: The folder cannot be made or written to.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 2d-g.
    """
    require_matplotlib()
    folder = _make_folder(Path(folder))
    config = dataclasses.replace(TrainingConfig.toy(), seed=seed)
    generator = torch.Generator().manual_seed(seed)

    reference, data = reference_model(), ToyNetwork()[0]
    stimuli = grid_stimuli(["L1", "L2"], num_levels=10)
    data = measure(reference, data, stimuli)
    train, test = split_conditions(data, 0.8, generator=generator)

    model = LEMBAS(data, **config.model_options(), generator=generator)
    started = time.perf_counter()
    outcome = fit(model, train, config, progress=progress)
    if outcome.interrupted:  # half a training would be no demonstration
        raise KeyboardInterrupt
    history = outcome.table
    seconds = time.perf_counter() - started

    predictions = pd.concat(
        [_predictions(model, train, "train"), _predictions(model, test, "test")],
        ignore_index=True,
    )
    true, fitted = ToyNetwork.parameters(), to_parameters(model)
    parameters = _compare(true, fitted)
    weights = parameters[parameters["type"] == "Weight"]
    knock_outs = knock_out(model, test)
    knock_outs["reference_delta"] = knock_out(reference, test)["delta"]

    tables = {
        "recovered-parameters.tsv": parameters,
        "predictions.tsv": predictions,
        "knock-out.tsv": knock_outs,
        "history.tsv": history,
    }
    figure = _draw(model, train, test, predictions, knock_outs, history, true, fitted)
    for name, table in tables.items():  # the first of them tells that a folder is one of a demo
        write_tsv(table, folder / name)
    interactions = read_interactions(FOLDER / "toy-Model.tsv")
    write_interactions(to_interactions(data, interactions), folder / "toy-Model.tsv")
    write_annotation(to_annotation(data), folder / "toy-Annotation.tsv")
    write_conditions(stimuli, folder / "ligands.tsv")
    write_conditions(_measured(data), folder / "tfs.tsv")
    write_parameters(fitted, folder / "parameters.tsv")
    with replace_file(folder / "demo.png") as file:
        figure.savefig(file, format="png", dpi=150)

    return DemoResult(
        folder=folder,
        files=(
            *("toy-Model.tsv", "toy-Annotation.tsv", "ligands.tsv", "tfs.tsv", "parameters.tsv"),
            *tables,
            "demo.png",
        ),
        seed=seed,
        seconds=seconds,
        train_r=_r(predictions[predictions["set"] == "train"], "measured", "predicted"),
        test_r=_r(predictions[predictions["set"] == "test"], "measured", "predicted"),
        weight_r=_r(weights, "true", "fitted"),
        knock_out_r=_r(knock_outs, "reference_delta", "delta"),
        parameters=parameters,
        predictions=predictions,
        knock_outs=knock_outs,
        history=history,
    )


def reference_model() -> LEMBAS:
    """The toy network with the parameters that come with it, in float64."""
    table = ToyNetwork.parameters()
    model = LEMBAS(ToyNetwork()[0], act=activation_of(table), radius=None)
    return load_parameters(model.double(), table)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(
            f"Cannot write to {folder}: it is, or lies in, something that is no folder. Name "
            f"another folder."
        ) from error
    return folder


def _names(data: Data, mask: Tensor) -> list[str]:
    return [data.node_name[i] for i in mask.nonzero().view(-1).tolist()]


def _measured(data: Data) -> pd.DataFrame:
    """Measured TF activities, conditions x TFs."""
    index = pd.Index(list(data.conditions), name="condition")
    return pd.DataFrame(data.y[data.tf_mask].T.numpy(), index, _names(data, data.tf_mask))


def _predictions(model: LEMBAS, data: Data, part: str) -> pd.DataFrame:
    """Measured and predicted TF activities of every condition, as a long table."""
    prediction = predict(model, data)
    order = pd.MultiIndex.from_product(
        [[part], list(data.conditions), _names(data, data.tf_mask)],
        names=["set", "condition", "tf"],
    )
    y = prediction.y.masked_fill(~prediction.converged, torch.nan)
    values = {"measured": data.y[data.tf_mask].T.flatten(), "predicted": y.T.flatten()}
    return pd.DataFrame({k: v.numpy() for k, v in values.items()}, order).reset_index()


def _compare(true: pd.DataFrame, fitted: pd.DataFrame) -> pd.DataFrame:
    """What was trained, true and fitted; inputs and projections were given."""
    both = true.merge(fitted, on=_KEYS, suffixes=("_true", "_fitted"), validate="one_to_one")
    both = both[both["Type"].isin(["Weight", "Bias"])]
    return both.rename(columns=lambda name: name.removeprefix("Value_").lower())


def _r(table: pd.DataFrame, one: str, other: str) -> float:
    """Pearson r of the rows that have both numbers."""
    both = table[[one, other]].dropna()
    return pearson_r(torch.tensor(both[other].to_numpy()), torch.tensor(both[one].to_numpy()))


def _draw(
    model: LEMBAS,
    train: Data,
    test: Data,
    predictions: pd.DataFrame,
    knock_outs: pd.DataFrame,
    history: pd.DataFrame,
    true: pd.DataFrame,
    fitted: pd.DataFrame,
) -> Figure:
    """Six panels on one page."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.04)
    figure = Figure(figsize=(15, 9.5), layout=layout)
    axes = figure.subplots(2, 3)
    condition = _most_active(test)
    state = predict(model, test, condition).h[:, 0]
    measured = train.y[train.tf_mask]
    mean_loss = float((measured - measured.mean()).square().mean())
    plot_network(test, model.conv.edge_weight, state, ax=axes[0, 0])
    plot_history(history, [], baseline=mean_loss, ax=axes[0, 1])
    plot_fit(predictions, hue="set", ax=axes[0, 2])
    plot_parameters(true, fitted, ax=axes[1, 0])
    plot_knock_out(knock_outs, test, ax=axes[1, 1])
    pairs = knock_outs.rename(columns={"reference_delta": "measured", "delta": "predicted"})
    plot_fit(pairs, ax=axes[1, 2])
    axes[1, 2].set(xlabel="change of T1, reference model", ylabel="change of T1, trained model")
    titles = {
        (0, 0): f"fitted weights, state under {condition}",
        (0, 1): "training",
        (0, 2): "fit and generalization",
        (1, 0): "recovered parameters",
        (1, 1): "knock-outs under test conditions",
        (1, 2): "knock-outs: trained against reference",
    }
    for place, title in titles.items():
        axes[place].set_title(title, fontsize="medium")
    return figure


def _most_active(data: Data) -> str:
    """The condition with the highest measured TF activity."""
    return list(data.conditions)[int(data.y[data.tf_mask].nan_to_num(-np.inf).amax(0).argmax())]


def _wrap(names: tuple[str, ...]) -> list[str]:
    """Names in lines of up to 80 characters."""
    lines = [" "]
    for name in names:
        if len(lines[-1]) + len(name) > 78:
            lines.append(" ")
        lines[-1] += f" {name}"
    return lines
