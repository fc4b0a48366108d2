"""The synthetic reference model on the KEGG network."""

from typing import ClassVar

import pandas as pd

from lembas_pyg.datasets.published_network import PublishedNetwork
from lembas_pyg.io.parameters import read_parameters


class KEGGSynthetic(PublishedNetwork):
    """The KEGG network, all signs known, with the parameters of a reference model.

    409 nodes, 832 interactions (702 activations, 130 inhibitions), 101 ligands, 55 TFs; without
    conditions, as the reference model answers any stimulus. The arguments are those of
    `PublishedNetwork`.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 4.
    """

    stem = "KEGGnet"
    files: ClassVar[dict[str, str]] = {
        "KEGGnet-Model.tsv": "4e052e6e65a59e74cc8cdd3a719c831fdbb79f0d62af8784ed2faa70d661c86c",
        "KEGGnet-Annotation.tsv": (
            "0e2acc68ec4b502191ea9529624e7973c9c5cbcfe4485f94ada9515b1f015750"
        ),
        "KEGGnet-Parameters.txt": (
            "3208e3ba3cd008c3eabb9e521815f4cfa7a5a677744e7047d7f9fd79b084f289"
        ),
    }
    paths: ClassVar[dict[str, str]] = {
        "KEGGnet-Parameters.txt": "Model/synthNetModel/equationParams.txt"
    }

    def parameters(self) -> pd.DataFrame:
        """The parameter table of the reference model (Source, Target, Type, Value)."""
        return read_parameters(self._raw("KEGGnet-Parameters.txt"))
