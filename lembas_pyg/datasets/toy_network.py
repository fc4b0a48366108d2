"""The toy network: small enough to draw."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from torch_geometric.data import Data, InMemoryDataset

from lembas_pyg.io.annotation import read_annotation
from lembas_pyg.io.interactions import read_interactions
from lembas_pyg.io.parameters import read_parameters
from lembas_pyg.network import from_interactions

FOLDER = Path(__file__).parent / "toy"


class ToyNetwork(InMemoryDataset):
    """Two ligands, four nodes between, one TF: 7 nodes, 8 interactions, one feedback loop.

    Comes with the package; needs no folder and no download, and has no conditions.

    Args:
        transform: Applied at every access.
        pre_transform: Applied once, when the graph is made.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 2.

    Example:
        >>> ToyNetwork()[0].node_name
        ['L1', 'L2', 'R1', 'R2', 'S1', 'S2', 'T1']
    """

    def __init__(
        self,
        transform: Callable[[Data], Data] | None = None,
        pre_transform: Callable[[Data], Data] | None = None,
    ) -> None:
        super().__init__(None, transform, pre_transform)
        network = from_interactions(
            read_interactions(FOLDER / "toy-Model.tsv"),
            read_annotation(FOLDER / "toy-Annotation.tsv"),
        )
        if pre_transform is not None:
            network = pre_transform(network)
        self.data, self.slices = self.collate([network])

    @staticmethod
    def parameters() -> pd.DataFrame:
        """The parameter table of the reference model (Source, Target, Type, Value)."""
        return read_parameters(FOLDER / "toy-Parameters.tsv")
