"""Viability of cancer cell lines under drugs."""

import re
from typing import ClassVar

import numpy as np
import pandas as pd

from lembas_pyg.datasets.published import verify_published
from lembas_pyg.datasets.published_network import PublishedNetwork
from lembas_pyg.io.annotation import read_annotation
from lembas_pyg.io.conditions import read_conditions
from lembas_pyg.io.interactions import read_interactions
from lembas_pyg.io.tsv import read_tsv
from lembas_pyg.network import add_drug_screen, from_interactions

_FOLDER = "Model/viabilityModel"


class DrugViability(PublishedNetwork):
    """120 cancer cell lines under 7 drugs at 8 doses: 6,626 viabilities.

    1,250 nodes; every drug alone, log10 doses (0 where absent), z-scored expression of the nodes
    and 36 mutations of each cell line, as `lembas_pyg.network.add_drug_screen` lays them out.
    Names of drugs are plain (PLX4720), mutations are called ``BRAF V600E``. The arguments are
    those of `PublishedNetwork`. Its network has the name of that of the `LigandScreen`, but other
    interactions and nodes.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; SI Fig. 18. Measurements, targets and TFs of
        Froehlich et al. (2018), Cell Syst. 7, 567.
    """

    stem = "ligandScreen"
    files: ClassVar[dict[str, str]] = {
        "ligandScreen-Model.tsv": (
            "5cce099c92f090c492999216a042f5e743206c674ba9158f04f3f4e34cd85721"
        ),
        "ligandScreen-Annotation.tsv": (
            "54af14cad279055d6b218be499a871a9906ad4891e22901a108b1dd99337cf1e"
        ),
        "drug.tsv": "1568d4000353d9332e9d04b11ebf4ebd43fa6bc3afb25bbc1716dd068d8b6ed4",
        "cellLine.tsv": "f6a3c98017f3bf10f3e5e9e312bb9c9069ce186dde9f674ae00fe79afea12eac",
        "cellLineRKPMZscored_subset.tsv": (
            "a952abe8d96522e0872b4d94cc3915e69b75f7c07dbeb615884ca1f0ffc58c74"
        ),
        "mutations.tsv": "1a8f88b4e6a9afb60c446fe1df6d4088fbf6a608af64f9b62ac3e7c5d10c2925",
        "drugLayer.tsv": "289d3ae15d7dba155e6887b4db1e399db660644fc525459ab486092119527d0c",
        "viabilityLayer.tsv": "24691a1d1fd7549c3ba33eca6166aaaf1f2305b3b37b3afeb29b93dd37681ef1",
        "viability.tsv": "061b6e80a555d380201340261d8b2494bae168645b23db5853a8faf4672a3b65",
        "CVtest.tsv": "fcfdea61cc9992acbfe67ec18143831cb4b82af75da1e4b3c740f1f87f3584d7",
        "viabilityIndependen.tsv": (
            "bfba9afd9441b1213f32ab295398fcac12fce2d1cde4491a5be658489ef1b94c"
        ),
    }
    paths: ClassVar[dict[str, str]] = {name: f"{_FOLDER}/{name}" for name in files}

    def process(self) -> None:
        verify_published(self.files, self.raw_dir)
        annotation = read_annotation(self._raw("ligandScreen-Annotation.tsv"))
        network = from_interactions(
            read_interactions(self._raw("ligandScreen-Model.tsv")), annotation
        )
        doses = read_conditions(self._raw("drug.tsv")).rename(columns=_plain)
        mutations = read_conditions(self._raw("mutations.tsv")).T
        symbols = mutations.columns.str.rsplit("-", n=1).str[1]
        node_of = pd.Series(network.node_name, index=network.node_label)
        mutations.columns = pd.Index([_mutation(name) for name in mutations.columns])
        targets = read_interactions(self._raw("drugLayer.tsv"))
        screen = add_drug_screen(
            network,
            doses,
            self._cell_lines(),
            self._expression(annotation),
            mutations,
            drug_targets=targets.assign(source=targets["source"].map(_plain)),
            mutated=pd.Series(node_of[symbols].to_numpy(), index=mutations.columns),
            viability_tfs=read_interactions(self._raw("viabilityLayer.tsv")),
            viability=read_conditions(self._raw("viability.tsv"))["viability"],
        )
        if self.pre_transform is not None:
            screen = self.pre_transform(screen)
        self.save([screen], self.processed_paths[0])

    def folds(self) -> np.ndarray:
        """Fold, 1 to 5, that holds out each observation ``[O]``; a fold is 24 cell lines."""
        return read_conditions(self._raw("CVtest.tsv"))["testfold"].to_numpy(np.int64)

    def independent(self) -> pd.Series:
        """Viabilities of the independent set.

        Only these are public: which drug, dose and cell line each belongs to is not, so that no
        model can be tested on them here.
        """
        return read_conditions(self._raw("viabilityIndependen.tsv"))["viability"]

    def _cell_lines(self) -> pd.Series:
        """Cell line of every observation, from columns of 0 and 1 with a single 1 a row."""
        table = read_conditions(self._raw("cellLine.tsv"))
        assert (table.sum(axis=1) == 1).all()
        return table.idxmax(axis=1)

    def _expression(self, annotation: pd.DataFrame) -> pd.DataFrame:
        """Cell lines x accessions; nodes that share a symbol share its expression."""
        path = self._raw("cellLineRKPMZscored_subset.tsv")
        table = read_tsv(path, first="name").drop_duplicates("name").set_index("name")
        of_nodes = table.loc[annotation["name"]].astype(np.float64).T
        return of_nodes.set_axis(pd.Index(annotation["code"].tolist()), axis=1)


def _plain(drug: str) -> str:
    """PLX_{4720} as PLX4720."""
    return re.sub(r"[_{}]", "", drug)


def _mutation(name: str) -> str:
    """MUT_MutAA[V600E]-BRAF as BRAF V600E."""
    change, gene = re.fullmatch(r"MUT_MutAA\[(\w+)\]-(\w+)", name).groups()  # type: ignore[union-attr]
    return f"{gene} {change}"
