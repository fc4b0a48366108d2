"""Macrophages in the literature."""

from typing import ClassVar

import pandas as pd

from lembas_pyg.datasets.published_network import PublishedNetwork
from lembas_pyg.io.conditions import read_folds


class LiteratureMacrophage(PublishedNetwork):
    """Macrophages under 12 ligands in 23 combinations, 58 TFs.

    1,128 nodes, 5,732 interactions (1,470 activations, 536 inhibitions, 3,726 unknown). 30 of the
    88 measured TFs are not in the network; a warning names them when the graph is made, and they
    stay in ``unmodeled_tfs``. The arguments are those of `PublishedNetwork`.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; SI Fig. 15.
    """

    stem = "macrophage"
    files: ClassVar[dict[str, str]] = {
        "macrophage-Model.tsv": (
            "9b360c59684f119c1a2d4ac75377896f44bf72b987c70e5029a0b860d862c1bd"
        ),
        "macrophage-Annotation.tsv": (
            "ecf9c274332395e3ec7ea21eff8406e827ffb2b24c25615cc8e27c6175b754af"
        ),
        "macrophage-Ligands.tsv": (
            "7e8b52f9ee2d003e9dc893076686b52dbf407b0070661de8e31075cb0c8cc56b"
        ),
        "macrophage-TFs.tsv": "be6ae59381736e613436e5f810612db2fd35364423722e6629d23a919020d2d3",
        "macrophage-Folds.tsv": (
            "d762a50ee22bd217f4a38af3f9f54996fbd07bc70e644ac3f75948919b2a3a87"
        ),
    }

    def folds(self) -> pd.DataFrame:
        """The condition that each of the 20 folds holds out (Index, Condition)."""
        return read_folds(self._raw("macrophage-Folds.tsv"))
