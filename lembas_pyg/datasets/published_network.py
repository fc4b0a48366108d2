"""What the networks published with the paper have in common."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from torch_geometric.data import Data, InMemoryDataset

from lembas_pyg.datasets.published import NO_PATHS, fetch_published, verify_published
from lembas_pyg.io.annotation import read_annotation
from lembas_pyg.io.conditions import read_conditions
from lembas_pyg.io.interactions import read_interactions
from lembas_pyg.network import add_conditions, from_interactions

Transform = Callable[[Data], Data]


class PublishedNetwork(InMemoryDataset):
    """One graph made from the files ``<name>-Model.tsv``, ``<name>-Annotation.tsv``, ...

    A subclass says which files there are; with ``-Ligands`` and ``-TFs`` the graph has conditions.

    Args:
        root: Folder of the dataset; files go to ``root/raw``, the graph to ``root/processed``.
        transform: Applied at every access.
        pre_transform: Applied once, to the graph with its conditions; curation goes here.
        force_reload: Make the graph again from the files.

    Raises:
        ConnectionError: The files are neither in ``root/raw`` nor in the folder named by the
            environment variable ``LEMBAS_PYG_MIRROR``, and cannot be downloaded.
        ValueError: A file is not the published one.
    """

    stem: ClassVar[str]
    files: ClassVar[Mapping[str, str]]  # name -> SHA-256
    paths: ClassVar[Mapping[str, str]] = NO_PATHS

    def __init__(
        self,
        root: str,
        transform: Transform | None = None,
        pre_transform: Transform | None = None,
        force_reload: bool = False,
    ) -> None:
        super().__init__(root, transform, pre_transform, force_reload=force_reload)
        self.load(self.processed_paths[0])

    @property
    def raw_file_names(self) -> list[str]:
        return list(self.files)

    @property
    def processed_file_names(self) -> list[str]:
        return ["data.pt"]

    def download(self) -> None:
        fetch_published(self.files, self.raw_dir, paths=self.paths)

    def process(self) -> None:
        verify_published(self.files, self.raw_dir)
        network = from_interactions(
            read_interactions(self._raw(f"{self.stem}-Model.tsv")),
            read_annotation(self._raw(f"{self.stem}-Annotation.tsv")),
        )
        if f"{self.stem}-Ligands.tsv" in self.files:
            network = add_conditions(
                network,
                read_conditions(self._raw(f"{self.stem}-Ligands.tsv")),
                read_conditions(self._raw(f"{self.stem}-TFs.tsv")),
            )
        if self.pre_transform is not None:
            network = self.pre_transform(network)
        self.save([network], self.processed_paths[0])

    def _raw(self, name: str) -> str:
        return self.raw_paths[self.raw_file_names.index(name)]
