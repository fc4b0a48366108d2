"""GraphML: nodes, interactions and everything the two tables say of them, in one file."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pandas as pd

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.export import check_xml, checked_tables
from lembas_pyg.io.interactions import EVIDENCE, FLAG_COLUMNS, PAIR, check_interactions
from lembas_pyg.io.markup import Element, attribute, read_xml
from lembas_pyg.io.tsv import FLAGS, FilePath, write_text

NODE_COLUMNS = ["code", "name", "TF", "ligand"]
DERIVED_SIGN = "derived-sign"  # id of the key that `write_graphml` adds
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""


def write_graphml(
    interactions: pd.DataFrame, path: FilePath, annotation: pd.DataFrame | None = None
) -> None:
    """Write a network as GraphML, for networkx, Cytoscape, Gephi or yEd.

    Nothing is lost but the provenance in ``.attrs`` and the width of numbers (which are read as 64
    bits): all columns of both tables become attributes of nodes and edges, in their order. Nodes
    are identified by code; edges also have their ``sign`` (+1, -1, 0 unknown). The graph is
    directed; that an interaction is not is said by its attribute ``direction``.

    Args:
        interactions: Interaction table.
        path: File to write or replace, compressed if it ends in ``.gz``.
        annotation: Names and roles of all nodes, with interactions or without.

    Raises:
        OSError: The file cannot be written.
        ValueError: A table is not what it should be, a node is not annotated, a column holds
            something else than texts, numbers and flags, or a text has control characters.
    """
    interactions, nodes = checked_tables(interactions, annotation)
    edges = interactions.drop(columns=PAIR)
    node_columns = _columns(nodes, "node", 0, path)
    edge_columns = _columns(edges, "edge", len(node_columns), path)
    if "sign" not in edges:
        sign = edges["stimulation"].astype(int) - edges["inhibition"]
        texts: list[str | None] = [str(value) for value in sign]
        edge_columns.append(_Column(DERIVED_SIGN, "edge", "sign", "int", texts))
    check_xml(nodes["code"], path)

    def lines() -> Iterator[str]:
        yield _HEAD
        for column in (*node_columns, *edge_columns):
            yield (
                f'<key id="{column.key}" for="{column.of}" attr.name={quoteattr(column.name)} '
                f'attr.type="{column.type}"/>\n'
            )
        yield '<graph edgedefault="directed">\n'
        for code, data in zip(nodes["code"], _data(node_columns, len(nodes)), strict=True):
            yield f"<node id={quoteattr(code)}>{data}</node>\n"
        ends = zip(interactions["source"], interactions["target"], strict=True)
        for (source, target), data in zip(ends, _data(edge_columns, len(edges)), strict=True):
            yield f"<edge source={quoteattr(source)} target={quoteattr(target)}>{data}</edge>\n"
        yield "</graph>\n</graphml>\n"

    write_text("".join(lines()), path)


def read_graphml(path: FilePath) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a network from GraphML, of `write_graphml` or of another program.

    A node is named by its attribute ``code``, or else by its id; without ``name``, ``TF`` and
    ``ligand`` it has a blank symbol and no role. An edge needs ``stimulation`` and ``inhibition``,
    or else ``sign`` (1, -1, 0); without ``direction`` it has one if the graph says so.

    Args:
        path: File, plain or ``.gz``.

    Returns:
        The interaction table, not merged, and the annotation table, in the order of the file.

    Raises:
        OSError: There is no such file.
        ValueError: The file is damaged or not GraphML, an edge names no node, has no sign, or a
            value is not of its type.

    References:
        Brandes et al. (2002), GraphML progress report; attributes extension.
    """
    document = read_xml(path, root="graphml")
    graphs = list(document.find("graph"))
    if len(graphs) != 1:
        raise ValueError(f"{path}: expected one <graph>, found {len(graphs)}. Split the file.")
    keys = {attribute(key, "id", path): key for key in document.find("key")}
    nodes, edges = list(graphs[0].find("node")), list(graphs[0].find("edge"))
    annotation = _table(nodes, keys, "node", path)
    ids = [attribute(node, "id", path) for node in nodes]
    if "code" not in annotation:
        annotation["code"] = pd.Series(ids, dtype=str)
    if "name" not in annotation:
        annotation["name"] = pd.Series([""] * len(nodes), dtype=str)
    for role in ("TF", "ligand"):
        given = annotation.get(role, pd.Series(index=annotation.index, dtype=object))
        annotation[role] = given.map(lambda value: False if pd.isna(value) else value)
    code = dict(zip(ids, annotation["code"], strict=True))

    table = _table(edges, keys, "edge", path)
    for name in PAIR:
        ends = [attribute(edge, name, path) for edge in edges]
        for edge, end in zip(edges, ends, strict=True):
            if end not in code:
                raise ValueError(
                    f"{path}, line {edge.line}: the edge names the node '{end}', which the graph "
                    f"does not have ({len(nodes)} nodes)."
                )
        table[name] = pd.Series([code[end] for end in ends], dtype=str)
    _complete(table, edges, graphs[0].attributes.get("edgedefault", "directed"), path)
    standard = [*PAIR, *FLAG_COLUMNS, *EVIDENCE]
    if DERIVED_SIGN in keys:
        table = table.drop(columns="sign")
    order = standard + [name for name in table if name not in standard]
    interactions = check_interactions(table[order])
    interactions.attrs["provenance"] = {
        "file": str(path),
        "format": "GraphML",
        "rows": len(interactions),
    }
    order = NODE_COLUMNS + [name for name in annotation if name not in NODE_COLUMNS]
    return interactions, check_annotation(annotation[order])


class _Column(NamedTuple):
    """A column as a GraphML key; a value that is missing is None."""

    key: str
    of: str
    name: str
    type: str
    values: list[str | None]


def _columns(table: pd.DataFrame, of: str, start: int, path: FilePath) -> list[_Column]:
    columns = []
    for number, name in enumerate(table.columns, start):
        type_, write = _writer(table[name], path)
        given = table[name].notna()
        values = [
            write(value) if is_given else None
            for value, is_given in zip(table[name].tolist(), given, strict=True)
        ]
        check_xml([name, *(value for value in values if value)], path)
        columns.append(_Column(f"d{number}", of, name, type_, values))
    return columns


def _writer(column: pd.Series, path: FilePath) -> tuple[str, Callable[[Any], str]]:
    """GraphML's type of a column, and how to write a value."""
    if pd.api.types.is_bool_dtype(column):
        return "boolean", lambda value: str(value).lower()
    if pd.api.types.is_integer_dtype(column):
        return ("long" if column.dtype.itemsize > 4 else "int"), str
    if pd.api.types.is_float_dtype(column):
        return "double", lambda value: repr(value).replace("inf", "INF")
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        return "string", lambda value: escape(value, {"\r": "&#13;"})
    raise ValueError(
        f"{path}: the column '{column.name}' holds {column.dropna().iloc[0]!r}. GraphML holds "
        "texts, numbers and flags; convert or drop it."
    )


def _data(columns: list[_Column], num_rows: int) -> Iterator[str]:
    """The ``<data>`` elements of every row."""
    if not columns:
        yield from [""] * num_rows
    for row in zip(*(column.values for column in columns), strict=True):
        yield "".join(
            f'<data key="{column.key}">{value}</data>'
            for column, value in zip(columns, row, strict=True)
            if value is not None
        )


def _to_bool(text: str) -> bool:
    return FLAGS[text.strip()]


# pandas' type of a GraphML type, and how to read a value.
_READERS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "string": (str, str),
    "boolean": (bool, _to_bool),
    "int": (np.int64, int),
    "long": (np.int64, int),
    "float": (np.float64, float),
    "double": (np.float64, float),
}


def _table(
    elements: list[Element], keys: dict[str, Element], of: str, path: FilePath
) -> pd.DataFrame:
    """One row an element, one column a key."""
    found: list[dict[str, str]] = [{} for _ in elements]
    for row, element in zip(found, elements, strict=True):
        for data in element.find("data"):
            key = attribute(data, "key", path)
            if key not in keys:
                raise ValueError(f"{path}, line {data.line}: there is no <key> with id '{key}'.")
            row[key] = data.text
    columns = {}
    for key, declared in keys.items():
        if declared.attributes.get("for", "all") not in (of, "all"):
            continue
        type_ = declared.attributes.get("attr.type", "string")
        if type_ not in _READERS:
            raise ValueError(
                f"{path}, line {declared.line}: the type '{type_}' is not known. Known are "
                f"{', '.join(_READERS)}."
            )
        dtype, read = _READERS[type_]
        default = next((child.text for child in declared.find("default")), None)
        values: list[Any] = []
        for row, element in zip(found, elements, strict=True):
            text = row.get(key, default)
            try:
                values.append(None if text is None else read(text))
            except (KeyError, ValueError):
                raise ValueError(
                    f"{path}, line {element.line}: '{text}' is no {type_}, which the attribute "
                    f"'{declared.attributes.get('attr.name', key)}' is."
                ) from None
        if None in values and dtype is not str:
            dtype = object if dtype is bool else np.float64
        name = declared.attributes.get("attr.name", key)
        columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns, index=range(len(elements)))


def _complete(table: pd.DataFrame, edges: list[Element], default: str, path: FilePath) -> None:
    """Add the columns of an interaction table that other programs do not write."""
    if not {"stimulation", "inhibition"} <= set(table):
        if "sign" not in table or not table["sign"].isin([1, 0, -1]).all():
            raise ValueError(
                f"{path}: the edges have the attributes {sorted(set(table) - set(PAIR))}. They "
                "need 'stimulation' and 'inhibition' (0 or 1), or 'sign' (1, -1, or 0 for unknown)."
            )
        table["stimulation"] = (table["sign"] == 1).astype(np.int8)
        table["inhibition"] = (table["sign"] == -1).astype(np.int8)
    if "direction" not in table:
        is_directed = [
            edge.attributes.get("directed", str(default == "directed")).lower() == "true"
            for edge in edges
        ]
        table["direction"] = np.array(is_directed, dtype=np.int8)
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
