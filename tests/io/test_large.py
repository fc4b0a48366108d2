"""Tables of a million rows: time and memory of every reader, which the page of results tells."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = 1_000_000
# Seconds and bytes that a reader may take; on an idle machine it takes far less.
MOST_SECONDS, MOST_BYTES = 120, 4e9

PEAK = """
import json, re, sys, time
sys.path.insert(0, sys.argv[1])
import lembas_pyg.io as io
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
before = peak()
start = time.process_time()
table = getattr(io, sys.argv[2])(sys.argv[3])
seconds = time.process_time() - start
print(json.dumps([len(table), seconds, peak(), before]))
"""


class Writer:
    """Columns of a made-up table, the same for the same number of rows."""

    def __init__(self, rows):
        self.rows = rows
        self.random = np.random.default_rng(0)

    def names(self, prefix, count):
        """Drawn from so many names."""
        known = np.array([f"{prefix}{number:06d}" for number in range(count)], dtype=object)
        return known[self.random.integers(count, size=self.rows)]

    def choice(self, *values):
        return np.array(values, dtype=object)[self.random.integers(len(values), size=self.rows)]

    def unique(self, prefix):
        return [f"{prefix}{number}" for number in range(self.rows)]

    def numbers(self, digits=4):
        return self.random.random(self.rows).round(digits)

    def pair(self):
        return {"source": self.names("P", 5000), "target": self.names("P", 5000)}

    def evidence(self):
        sources = self.choice("SIGNOR", "SPIKE;SIGNOR", "KEGG", "")
        return {"sources": sources, "references": self.names("SIGNOR:1", 90000)}


def interactions(w):
    flags = {"direction": 1, "stimulation": w.choice(1, 0), "inhibition": w.choice(0, 1)}
    return pd.DataFrame(w.pair() | flags | w.evidence())


def omnipath(w):
    flags = ("is_directed", "is_stimulation", "is_inhibition")
    flags += ("consensus_direction", "consensus_stimulation", "consensus_inhibition")
    symbols = {f"{end}_genesymbol": w.names("G", 5000) for end in ("source", "target")}
    about = {
        "extra_attrs": '{"SIGNOR_mechanism":["binding"]}',
        "omnipath": w.choice("True", "False"),
    }
    taxa = {"ncbi_tax_id_source": 9606, "ncbi_tax_id_target": 9606}
    flags = {name: w.choice("True", "False") for name in flags}
    return pd.DataFrame(w.pair() | symbols | flags | w.evidence() | about | taxa)


def signor(w):
    from lembas_pyg.io.signor import ALL_DATA

    table = pd.DataFrame("", index=range(w.rows), columns=[name.upper() for name in ALL_DATA])
    for end in "AB":
        table[f"ENTITY{end}"], table[f"ID{end}"] = w.names("G", 5000), w.names("P", 5000)
        table[f"TYPE{end}"] = w.choice("protein", "proteinfamily", "complex", "smallmolecule")
        table[f"DATABASE{end}"] = "UNIPROT"
    table["EFFECT"] = w.choice("up-regulates", "down-regulates activity", "unknown", "form complex")
    table["MECHANISM"], table["TAX_ID"] = "phosphorylation", w.choice("9606", "10090")
    table["PMID"], table["DIRECT"] = w.names("1", 90000), w.choice("YES", "NO")
    table["SENTENCE"] = "It has been shown in cells that the first activates the second."
    table["SIGNOR_ID"] = w.unique("SIGNOR-")
    return table


def causaltab(w):
    table = pd.DataFrame("-", index=range(w.rows), columns=range(1, 47))
    for place in (0, 1):
        table[1 + place] = "uniprotkb:" + pd.Series(w.names("P", 5000))
        table[5 + place] = "uniprotkb:" + pd.Series(w.names("G", 5000)) + "(gene name)"
        table[10 + place] = 'taxid:9606("Homo sapiens")'
        table[21 + place] = 'psi-mi:"MI:0326"(protein)'
    table[9] = "pubmed:" + pd.Series(w.names("1", 90000))
    table[13], table[14] = 'psi-mi:"MI:2214"(signor)', pd.Series(w.unique("signor:SIGNOR-"))
    table[17], table[18] = 'psi-mi:"MI:2274"(regulator)', 'psi-mi:"MI:2275"(regulator target)'
    table[45] = 'psi-mi:"MI:2249"(post transcriptional regulation)'
    table[46] = w.choice('psi-mi:"MI:2235"(up-regulates)', 'psi-mi:"MI:2240"(down-regulates)')
    return table


def conditions(w):
    values = {f"P{number}": w.numbers() for number in range(5)}
    return pd.DataFrame({"condition": w.unique("c")} | values)


def annotation(w):
    roles = {"TF": w.choice("False", "True"), "ligand": w.choice("False", "True")}
    return pd.DataFrame({"code": w.unique("P"), "name": w.unique("G")} | roles)


def regulon(w):
    pair = {"tf": w.names("TF", 1000), "target": w.names("G", 20000)}
    more = {"confidence": w.choice(*"ABCDE"), "mor": w.choice(1, -1)}
    return pd.DataFrame(pair | more)


def expression(w):
    return pd.DataFrame({"gene": w.unique("G")} | {f"S{i}": w.numbers() for i in range(6)})


def parameters(w):
    values = {"Type": "Weight", "Value": w.random.normal(size=w.rows)}
    pair = pd.DataFrame(w.pair()).set_axis(["Source", "Target"], axis=1)
    return pair.assign(**values).drop_duplicates(["Source", "Target"])


READERS = {
    "read_interactions": interactions,
    "read_omnipath": omnipath,
    "read_signor": signor,
    "read_causaltab": causaltab,
    "read_conditions": conditions,
    "read_annotation": annotation,
    "read_regulon": regulon,
    "read_expression": expression,
    "read_parameters": parameters,
}


def write(reader, path, rows=ROWS):
    """A made-up table of so many rows, in the format of a reader."""
    table = READERS[reader](Writer(rows))
    is_causaltab = reader == "read_causaltab"
    with path.open("w", encoding="utf-8") as file:
        file.write("#" * is_causaltab)
        table.to_csv(file, sep="\t", index=False, quoting=3, lineterminator="\n")


def measure(reader, path):
    """Rows that were read, seconds of processor time, peak memory, and that before."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(ROOT), reader, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_a_million_rows_are_read(reader, tmp_path):
    write(reader, tmp_path / "large.tsv")
    rows, seconds, peak, _ = measure(reader, tmp_path / "large.tsv")
    assert rows > 0.7 * ROWS
    assert seconds < MOST_SECONDS and peak < MOST_BYTES


if __name__ == "__main__":  # the table of the page of results
    folder = Path(sys.argv[1])
    for name in READERS:
        for size in (ROWS // 10, ROWS):
            file = folder / "large.tsv"
            write(name, file, size)
            found = measure(name, file)
            print(
                f"{name:<20}{size:>10,} rows {file.stat().st_size / 1e6:6.0f} MB "
                f"{found[1]:6.1f} s {found[2] / 1e9:5.2f} GB (before {found[3] / 1e9:.2f})",
                flush=True,
            )
            file.unlink()
