"""Networks of the paper as PyG datasets."""

from lembas_pyg.datasets.drug_viability import DrugViability
from lembas_pyg.datasets.kegg_synthetic import KEGGSynthetic
from lembas_pyg.datasets.ligand_screen import LigandScreen
from lembas_pyg.datasets.literature_macrophage import LiteratureMacrophage
from lembas_pyg.datasets.toy_network import ToyNetwork

__all__ = ["DrugViability", "KEGGSynthetic", "LigandScreen", "LiteratureMacrophage", "ToyNetwork"]
