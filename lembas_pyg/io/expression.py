"""Expression tables, and other numbers of samples: genes (or TFs) as rows, samples as columns."""

import csv
import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from lembas_pyg.io.delimited import SEPARATORS
from lembas_pyg.io.tsv import FilePath, parse_numbers, read_text

logger = logging.getLogger(__name__)


def read_expression(path: FilePath) -> pd.DataFrame:
    """Read one number for every gene and sample, or for every TF and sample.

    Args:
        path: Genes as rows, samples as columns, as databases and R write them: separated by tab,
            comma or semicolon, plain or ``.gz``. The first column names the genes; its header may
            be blank or, as R does it, left out.

    Returns:
        float64, turned round: samples (index ``sample``) x genes, in the order of the file.

    Raises:
        OSError: There is no such file.
        ValueError: A gene or sample is given twice or has no name, a line has too few or too many
            fields, or a value is not a finite number (NA is none).
    """
    path = Path(path)
    header, _, body = read_text(path).partition(b"\n")
    first = header.decode("utf-8")
    if not first.strip():
        raise ValueError(f"{path}: its first line is blank. Put the names of the samples there.")
    separator = max(SEPARATORS, key=first.count)
    columns = [name.strip() for name in next(csv.reader([first], delimiter=separator))]
    table = _split(body.rstrip(b"\n"), separator, path)
    samples = _samples(columns, table.shape[1], path)
    table.index = pd.RangeIndex(2, 2 + len(table), name="line")
    genes = table[0].fillna("").astype(str).str.strip()
    _check_names(genes, path)
    texts = table.drop(columns=0).set_axis(samples, axis="columns").fillna("")
    values = np.column_stack([_numbers(texts[name], path) for name in samples])
    logger.info("Read %d rows of %d samples from %s.", len(genes), len(samples), path)
    return pd.DataFrame(
        values.T,
        index=pd.Index(samples, name="sample", dtype=str),
        columns=pd.Index(genes.to_numpy(), dtype=str),
    )


def _split(body: bytes, separator: str, path: Path) -> pd.DataFrame:
    """Fields of all lines, as texts; those that a line lacks at its end are NaN."""
    if not body.strip():
        raise ValueError(f"{path} has a header but nothing below it. Expected one line a gene.")
    try:
        return pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
        )
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: line 2 is blank. Expected one line a gene.") from error
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{path}: its lines differ in their number of fields ({error}; line 1 is the one below "
            f"the header). Put one {SEPARATORS[separator]} between fields."
        ) from error


def _samples(columns: list[str], num_fields: int, path: Path) -> list[str]:
    """Names of the samples, whether the column of genes has a header or not."""
    if num_fields < 2:
        raise ValueError(
            f"{path} has a single column. Expected the names of genes and one column a sample, "
            "separated by tab, comma or semicolon."
        )
    if len(columns) == num_fields:
        columns = columns[1:]
    elif len(columns) != num_fields - 1:
        raise ValueError(
            f"{path}: {len(columns)} names in the header and {num_fields} fields below it. The "
            "header names every sample, and may leave out the column of genes."
        )
    if "" in columns:
        raise ValueError(f"{path}, line 1: sample {columns.index('') + 1} has no name.")
    if len(set(columns)) < len(columns):
        name = next(name for i, name in enumerate(columns) if name in columns[:i])
        raise ValueError(f"{path}, line 1: the sample '{name}' is given twice. Keep one of them.")
    return columns


def _check_names(genes: pd.Series, path: Path) -> None:
    blank = genes == ""
    if blank.any():
        raise ValueError(f"{path}, line {genes.index[blank][0]}: the name of the gene is blank.")
    repeated = genes.duplicated()
    if repeated.any():
        again = genes.index[repeated][0]
        name = genes[again]
        before = genes.index[genes == name][0]
        raise ValueError(
            f"{path}: the gene '{name}' is given twice, in lines {before} and {again}, as are "
            f"{repeated.sum():,} lines in all. Make one row a gene: add up counts, average logs "
            "of the probes of a gene."
        )


def _numbers(texts: pd.Series, path: Path) -> np.ndarray:
    """Numbers of one sample; the careful way, which names the first bad text, only if needed."""
    if not texts.str.contains("_", regex=False).any():  # Python takes 1_000 for a number
        try:
            values = texts.to_numpy(object).astype(np.float64)
        except ValueError:
            values = np.array([np.nan])
        if np.isfinite(values).all():
            return values
    return parse_numbers(texts.str.strip(), path).to_numpy()
