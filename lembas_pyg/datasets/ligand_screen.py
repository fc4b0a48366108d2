"""The ligand screen."""

from typing import ClassVar

import pandas as pd

from lembas_pyg.datasets.published_network import PublishedNetwork
from lembas_pyg.io.conditions import read_folds


class LigandScreen(PublishedNetwork):
    """Macrophages under 59 ligands, most of them with and without LPS: 103 conditions, 74 TFs.

    1,262 nodes, 6,594 interactions (3,931 activations, 1,488 inhibitions, 1,175 unknown). The
    arguments are those of `PublishedNetwork`.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 6. The table has 6,597 rows, three
        of which repeat an interaction (O00548 with P46531, Q04721 and Q9UM47).
    """

    stem = "ligandScreen"
    files: ClassVar[dict[str, str]] = {
        "ligandScreen-Model.tsv": (
            "a645a8bfe535d335f5d99f83bbeae0e89a55f3254a1ddce0c62c8a03b16fdf90"
        ),
        "ligandScreen-Annotation.tsv": (
            "e5c53431f2c86235b5e9f9f9c42891106c51165eaa08120118000b8dc45e1b53"
        ),
        "ligandScreen-Ligands.tsv": (
            "6834bd125db6a54223b6dc94b2f1f281fa7fc2194bfb667762a481c0125bb5c9"
        ),
        "ligandScreen-TFs.tsv": (
            "9a13b5bea6ea26a3f536efac25f9809a9a58293a1fd4b91b6bffbcbc08128153"
        ),
        "ligandScreen-Folds.tsv": (
            "8deb96a184aa1147f63b08c2c25f60030415c463e8553bc85b487bc16d860d9c"
        ),
    }

    def folds(self) -> pd.DataFrame:
        """Conditions that each of the 28 folds holds out (Index, Condition).

        84 of the 103 conditions are held out once, 19 never.

        References:
            Nilsson et al. (2022). The text speaks of 27 folds; the published table has 28.
        """
        return read_folds(self._raw("ligandScreen-Folds.tsv"))
