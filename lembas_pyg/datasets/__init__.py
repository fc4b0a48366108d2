"""Networks of the paper as PyG datasets."""

from lembas_pyg.datasets.kegg_synthetic import KEGGSynthetic
from lembas_pyg.datasets.ligand_screen import LigandScreen
from lembas_pyg.datasets.literature_macrophage import LiteratureMacrophage
from lembas_pyg.datasets.toy_network import ToyNetwork

__all__ = ["KEGGSynthetic", "LigandScreen", "LiteratureMacrophage", "ToyNetwork"]
