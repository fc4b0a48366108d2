"""The toy networks: small enough to draw."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from torch_geometric.data import Data, InMemoryDataset

from lembas_pyg.io.annotation import read_annotation
from lembas_pyg.io.interactions import read_interactions
from lembas_pyg.io.parameters import read_parameters
from lembas_pyg.network import from_interactions

FOLDER = Path(__file__).parent / "toy"


# Name -> beginning of the names of its files.
_FILES = {"recurrent": "toy", "pipe": "pipe", "nfkb": "nfkb"}


class ToyNetwork(InMemoryDataset):
    """Two ligands, four nodes between, one TF: 7 nodes, 8 interactions, one feedback loop.

    Comes with the package; needs no folder and no download, and has no conditions. Other names are
    other networks of the paper: ``"pipe"``, five nodes in a row, whose parameters its data do not
    determine, and ``"nfkb"``, where p100 inhibits NFKB and TNF activates it.

    Args:
        transform: Applied at every access.
        pre_transform: Applied once, when the graph is made.
        name: ``"recurrent"`` (Fig. 2), ``"pipe"`` (SI Fig. 4b) or ``"nfkb"`` (SI Fig. 5).

    Raises:
        ValueError: There is no toy network of that name.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 2, SI Fig. 4 and 5. Parameters are those
        of the paper, but for the pipe, where they are ours.

    Example:
        >>> ToyNetwork()[0].node_name
        ['L1', 'L2', 'R1', 'R2', 'S1', 'S2', 'T1']
        >>> ToyNetwork(name="nfkb")[0].num_edges
        3
    """

    def __init__(
        self,
        transform: Callable[[Data], Data] | None = None,
        pre_transform: Callable[[Data], Data] | None = None,
        *,
        name: str = "recurrent",
    ) -> None:
        model, annotation = (_file(name, what) for what in ("Model", "Annotation"))
        super().__init__(None, transform, pre_transform)
        network = from_interactions(read_interactions(model), read_annotation(annotation))
        if pre_transform is not None:
            network = pre_transform(network)
        self.data, self.slices = self.collate([network])

    @staticmethod
    def parameters(name: str = "recurrent") -> pd.DataFrame:
        """The parameter table of the reference model (Source, Target, Type, Value).

        Args:
            name: Of the network.

        Raises:
            ValueError: There is no toy network of that name.
        """
        return read_parameters(_file(name, "Parameters"))


def _file(name: str, what: str) -> Path:
    """The table of a network that comes with the package."""
    if name not in _FILES:
        raise ValueError(f"There is no toy network '{name}'; choose from {', '.join(_FILES)}.")
    return FOLDER / f"{_FILES[name]}-{what}.tsv"
