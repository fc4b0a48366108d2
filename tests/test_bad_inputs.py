"""What the command line says of bad input: one paragraph, the right exit code, nothing written.

``docs/bad-inputs.md`` lists these cases and is written by ``python tests/test_bad_inputs.py``.
"""

import contextlib
import gzip
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import lembas_pyg.datasets
from lembas_pyg.cli import main

TOY = Path(lembas_pyg.datasets.__file__).parent / "toy"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "bad-inputs.md"

NETWORK = "--network M.tsv --annotation A.tsv"
MODEL = f"{NETWORK} --parameters P.tsv --ligands L.tsv"
DATA = f"{NETWORK} --ligands L.tsv --tfs T.tsv --preset toy --epochs 2"
INFO = f"info {NETWORK}"
PREDICT = f"predict {MODEL} --out Y.tsv"
KNOCK_OUT = f"knock-out {MODEL} --out KO.tsv"
TRAIN = f"train {DATA} --out RUN"
CROSS = f"cross-validate {DATA} --folds 2 --out CV"
CONVERT = "convert --format table M.tsv --out N.tsv"
KGML = "convert --format kgml K.xml --out N.tsv"
ACTIVITY = "tf-activity --expression E.tsv --regulon R.csv --samples SHEET.tsv --out Y.tsv"
CURATE = f"curate {NETWORK} --remove-dead-ends --out N.tsv"

LIGANDS = "\tL1\tL2\nnone\t0\t0\none\t1\t0\ntwo\t0\t1\nboth\t1\t0.5\n"
PATHWAY = """<pathway name="path:xyz1" org="xyz">
<entry id="1" name="xyz:1" type="gene"/>
<entry id="2" name="xyz:2" type="gene"/>
<relation entry1="1" entry2="2" type="PPrel"><subtype name="activation" value="--&gt;"/></relation>
</pathway>
"""
SIGNOR = """ENTITYA;TYPEA;IDA;DATABASEA;ENTITYB;TYPEB;IDB;DATABASEB;EFFECT
REC;protein;P1;UNIPROT;KIN;protein;P2;UNIPROT;promotes
"""
EXPRESSION = "gene\tS1\tS2\tS3\tS4\nG0\t1\t2\t3\t4\nG1\t4\t3\t2\t1\nG2\t5\t5.5\t6\t6\n"
REGULON = "tf,target,mor\nP1,G1,1\nP1,G2,-1\nP1,G3,1\nP1,G4,1\nP1,G5,1\n"
SHEET = "sample\tcondition\nS1\tTNF\nS2\tTNF\nS3\tPBS\nS4\tPBS\n"
TFS = "\tT1\nnone\t0.1\none\t0.2\ntwo\t0.8\nboth\t0.4\n"


class Case(NamedTuple):
    """A command that fails in a folder with the toy tables, after a change to one of them."""

    name: str
    command: str
    message: str  # regular expression
    change: Callable[[Path], object] | None = None
    code: int = 1
    is_documented: bool = True  # whether the message is the same everywhere


# ---- changes


def replace(file, old, new):
    def change(folder):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))

    return change


def content(file, value):
    def change(folder):
        (folder / file).write_bytes(value if isinstance(value, bytes) else value.encode())

    return change


def recode(file, convert):
    """Give a file the bytes that `convert` makes of its own."""
    return lambda folder: (folder / file).write_bytes(convert((folder / file).read_bytes()))


def remove(file):
    return lambda folder: (folder / file).unlink()


def append(file, line):
    return recode(file, lambda text: text + line.encode() + b"\n")


def both(*changes):
    return lambda folder: [change(folder) for change in changes]


def swap(one, other):
    def change(folder):
        text = (folder / one).read_bytes()
        (folder / one).write_bytes((folder / other).read_bytes())
        (folder / other).write_bytes(text)

    return change


def symbols(folder):
    """Give the toy network symbols that differ from the accessions."""
    for code, symbol in (("L1", "TNF"), ("S1", "MAPK1"), ("T1", "RELA")):
        replace("A.tsv", f"{code}\t{code}", f"{code}\t{symbol}")(folder)


def trained(folder):
    """Leave a finished run in RUN."""
    code, _, err = run(TRAIN.split(), folder)
    assert code == 0, err


def curation(name, text):
    """A folder of curation with one table."""

    def change(folder):
        (folder / "cur").mkdir()
        (folder / "cur" / name).write_text(text)

    return change


def expressed(*changes):
    """Expression of three genes in four samples, a regulon and a sample sheet; then changes."""
    tables = {"E.tsv": EXPRESSION, "R.csv": REGULON, "SHEET.tsv": SHEET}
    return both(*(content(name, text) for name, text in tables.items()), *changes)


no_path = replace("M.tsv", "S2\tT1", "T1\tS2")

NO_PARAMETERS = "The parameters belong to another network: they "

CASES = {
    "Files": [
        Case("A file does not exist", INFO, "The file M.tsv does not exist", remove("M.tsv")),
        Case("A folder is given for a file", "info --network . --annotation A.tsv", "a directory"),
        Case("The file is empty", INFO, "M.tsv is empty", content("M.tsv", "")),
        Case("The file has blank lines only", INFO, "M.tsv is empty", content("M.tsv", "\n \n")),
        Case("The file is a spreadsheet", INFO, "null bytes", content("M.tsv", b"PK\3\4\0\0")),
        Case("The file is compressed, its name is not", INFO, "null bytes|not UTF-8",
             recode("M.tsv", lambda text: gzip.compress(text, mtime=0))),
        Case("The file is cut off", f"{INFO} --network M.tsv.gz", "not a complete gzip file",
             lambda folder: content("M.tsv.gz", gzip.compress(
                 (folder / "M.tsv").read_bytes(), mtime=0)[:60])(folder)),
        Case("The file is in UTF-16", INFO, "UTF-16",
             recode("M.tsv", lambda text: text.decode().encode("utf-16"))),
        Case("The file is in Latin-1", INFO, "line 2: the byte 0xe9 is not UTF-8",
             recode("M.tsv", lambda text: text.replace(b"toy", b"caf\xe9"))),
        Case("Columns are separated by commas", PREDICT, "L.tsv, line 1: .* comma-separated",
             content("L.tsv", LIGANDS.replace("\t", ","))),
        Case("Columns are separated by semicolons", INFO, "A.tsv, line 1: .* semicolon-separated",
             recode("A.tsv", lambda text: text.replace(b"\t", b";"))),
        Case("Columns are separated by spaces", PREDICT, "P.tsv, line 3: .* space-separated",
             recode("P.tsv", lambda text: text.replace(b"\t", b" "))),
        Case("A column is missing", INFO, "'inhibition' is missing",
             replace("M.tsv", "inhibition", "inhibitory")),
        Case("The name of a column has capital letters", INFO, "rename 'Source'",
             replace("M.tsv", "source\t", "Source\t")),
        Case("A line is too short", PREDICT, "L.tsv, line 6: too few fields",
             append("L.tsv", "three\t1")),
        Case("A line is too long", PREDICT, "L.tsv, line 6: too many fields",
             append("L.tsv", "three\t1\t1\t1")),
        Case("--network and --annotation are swapped", INFO, "'source' and 'target' .* are missing",
             swap("M.tsv", "A.tsv")),
        Case("--ligands and --tfs are swapped", TRAIN, "'T1', .* ligand. It is a TF: were",
             swap("L.tsv", "T.tsv")),
        Case("--ligands is the network", TRAIN, "L.tsv has .* it is a table of interactions",
             recode("L.tsv", lambda _: (TOY / "toy-Model.tsv").read_bytes())),
        Case("--parameters is another table", "predict --parameters A.tsv --out Y.tsv "
             f"{NETWORK} --ligands L.tsv", "A.tsv, .* 'Source' and 'Target' .* are missing"),
    ],
    "Network": [
        Case("There is no interaction", INFO, "interaction table is empty",
             recode("M.tsv", lambda text: text.splitlines()[0])),
        Case("An interaction has no direction", INFO, "M.tsv, line 9: .* without a direction",
             replace("M.tsv", "S2\tT1\t1", "S2\tT1\t0")),
        Case("A flag is neither 0 nor 1", INFO, "M.tsv, line 9, column 'stimulation': '2'",
             replace("M.tsv", "S2\tT1\t1\t1", "S2\tT1\t1\t2")),
        Case("A source is blank", INFO, "M.tsv, line 9: the column 'source' is blank",
             replace("M.tsv", "S2\tT1", "\tT1")),
        Case("A node is not annotated", INFO, "'S1' .* not in the annotation",
             replace("A.tsv", "S1\tS1\tFalse\tFalse\n", "")),
        Case("A node is annotated twice", INFO, "A.tsv: code 'S1' is given twice, in lines 6 and 9",
             append("A.tsv", "S1\tS1\tFalse\tFalse")),
        Case("A role is neither true nor false", INFO, "A.tsv, line 8, column 'TF': 'yes'",
             replace("A.tsv", "T1\tT1\tTrue", "T1\tT1\tyes")),
        Case("The network has no ligand", TRAIN, "'L1', .* not a ligand. Mark it",
             replace("A.tsv", "False\tTrue", "False\tFalse")),
        Case("The network has no TF", PREDICT, "no transcription factor",
             replace("A.tsv", "True\tFalse", "False\tFalse")),
        Case("Training: no path leads from a ligand to a TF", TRAIN, "No path leads", no_path),
    ],
    "Networks from databases": [
        Case("A resource is not in the tables", f"{CONVERT} --resources toy,KEGG",
             "'KEGG', which no interaction names. .* the tables hold"),
        Case("No interaction is left", f"{CONVERT} --uniprot U.tab",
             "No interaction is left: restrict to removed 8", content("U.tab",
             "Entry\tGene Names (primary)\nP1\tA\n")),
        Case("A ligand has no receptor in the table", f"{CONVERT} --ligand-receptor RL.tsv "
             "--ligands L1,TNF", "'TNF' is not a source of the ligand-receptor table",
             lambda folder: shutil.copyfile(folder / "M.tsv", folder / "RL.tsv")),
        Case("Ligands are given by symbol", f"{CONVERT} --ligands TNF --annotation-out N.txt",
             "`--ligands` has 'TNF', which no interaction that is left names"),
        Case("A TF is given by symbol", f"{CONVERT} --tfs RELA --annotation-out N.txt",
             "`--tfs` has 'RELA', which no interaction that is left names"),
        Case("A regulon of symbols", f"{CONVERT} --regulon G.tsv --annotation-out N.txt",
             "none of its 1 sources, such as .'RELA'., is in the network",
             content("G.tsv", "source\ttarget\tweight\nRELA\tTNF\t1\n")),
        Case("TFs, and nothing to write them to", f"{CONVERT} --tfs T1",
             "it has no effect by itself; add --annotation-out", code=2),
        Case("TFs by name and by a regulon",
             f"{CONVERT} --tfs T1 --regulon G.tsv --annotation-out N.txt", "not allowed with",
             code=2),
        Case("A file of another database", "convert --format omnipath M.tsv --out N.tsv",
             "no table of interactions from OmniPath"),
        Case("A table of SIGNOR is read as one of OmniPath",
             "convert --format omnipath S.csv --out N.tsv",
             "S.csv looks like --format signor, not omnipath", content("S.csv", SIGNOR)),
        Case("A table of the package is read as one of SIGNOR",
             "convert --format signor M.tsv --out N.tsv",
             "M.tsv looks like --format table, not signor"),
        Case("A pathway is read as a table", "convert --format signor K.xml --out N.tsv",
             "K.xml looks like --format kgml, not signor", content("K.xml", PATHWAY)),
        Case("An effect is not in the vocabulary of SIGNOR",
             "convert --format signor S.csv --out N.tsv",
             "S.csv, line 2, column 'effect': 'promotes' is not in the vocabulary",
             content("S.csv", SIGNOR)),
        Case("A relation of KEGG names no entry", KGML,
             "K.xml, line 4: the <relation> names the entry '9'",
             content("K.xml", PATHWAY.replace('entry2="2"', 'entry2="9"'))),
        Case("A subtype is not in the vocabulary of KEGG", KGML,
             "K.xml, line 4: the subtype 'promotion' is not known",
             content("K.xml", PATHWAY.replace("activation", "promotion"))),
        Case("A pathway is cut off", KGML, "K.xml, line 4: not well-formed XML",
             content("K.xml", PATHWAY[:200])),
        Case("A pathway is a web page", KGML, "a <html>, expected a <pathway>",
             content("K.xml", "<html><body>Not found</body></html>")),
        Case("The table of UniProt does not know KEGG's ids", f"{KGML} --uniprot U.tab",
             "says nothing of KEGG's gene ids", both(content("K.xml", PATHWAY), content("U.tab",
             "Entry\tGene Names (primary)\nP1\tA\n"))),
        Case("The folder of the curation holds something else", f"{CONVERT} --curation cur",
             "cur holds added.tsv, which no curation has", curation("added.tsv", "")),
        Case("An edit is not known", f"{CONVERT} --curation cur",
             "edit.tsv, line 2, column 'action': 'delete' is not an action",
             curation("edit.tsv", "source\ttarget\taction\tvalue\nS1\tS2\tdelete\t\n")),
        Case("An output would replace a table of the curation",
             "convert --format table M.tsv --curation cur --out cur/add.tsv --overwrite",
             "--out cur/add.tsv is also --curation", curation("add.tsv", "")),
        Case("An output would replace an input",
             "convert --format table M.tsv --out M.tsv --overwrite", "--out M.tsv is also FILE"),
        Case("The report exists", f"{CURATE} --report R.tsv", "--report R.tsv exists",
             content("R.tsv", "precious")),
        Case("Curation: no ligand reaches a TF", CURATE, "No ligand reaches a transcription",
             no_path),
    ],
    "Conditions": [
        Case("A ligand is named by its symbol", PREDICT, "'TNF' is the symbol of 'L1'",
             both(symbols, replace("L.tsv", "L1", "TNF"))),
        Case("A ligand is not in the network", PREDICT, "'L9' is not among the 7 nodes",
             replace("L.tsv", "L1", "L9")),
        Case("A ligand is another node", PREDICT, "'S1', .* but not a ligand",
             replace("L.tsv", "L1", "S1")),
        Case("A concentration is missing", PREDICT, r"no concentration \(NaN\) .* 'L1' .* 'one'",
             replace("L.tsv", "one\t1", "one\tNaN")),
        Case("A concentration is blank", PREDICT, r"no concentration \(NaN\) .* 'L1' .* 'one'",
             replace("L.tsv", "one\t1", "one\t")),
        Case("A concentration is negative", PREDICT, "negative concentration .* 'L1' .* 'one': -1",
             replace("L.tsv", "one\t1", "one\t-1")),
        Case("A concentration is infinite", PREDICT, "L.tsv, line 3, column 'L1': 'inf'",
             replace("L.tsv", "one\t1", "one\tinf")),
        Case("A concentration is too large", PREDICT, "'1e999' is too large",
             replace("L.tsv", "one\t1", "one\t1e999")),
        Case("A concentration is a word", PREDICT, "'high' is not legal",
             replace("L.tsv", "one\t1", "one\thigh")),
        Case("A concentration has a decimal comma", PREDICT, "'0,5' .* decimal sign as a point",
             replace("L.tsv", "one\t1", "one\t0,5")),
        Case("A condition is given twice", PREDICT, "condition 'one' is given twice, in lines 3",
             append("L.tsv", "one\t1\t1")),
        Case("A ligand is given twice", PREDICT, "the column 'L1' is given 2 times",
             replace("L.tsv", "L2", "L1")),
        Case("There is no condition", PREDICT, "header but no conditions",
             content("L.tsv", "\tL1\tL2\n")),
        Case("There is no ligand", PREDICT, "the single column", content("L.tsv", "name\none\n")),
        Case("Ligands are rows", PREDICT, "conditions are rows",
             content("L.tsv", "\tnone\tone\nL1\t0\t1\nL2\t0\t0\n")),
        Case("A TF is named by its symbol", TRAIN, "'RELA' is the symbol of 'T1'",
             both(symbols, replace("T.tsv", "T1", "RELA"))),
        Case("No measured TF is in the network", TRAIN, "None of the 1 columns",
             replace("T.tsv", "T1", "Q9")),
        Case("TFs are rows", TRAIN, "differ in conditions",
             content("T.tsv", "\tnone\tone\ttwo\tboth\nT1\t0.1\t0.2\t0.8\t0.4\n")),
        Case("A condition has ligands only", TRAIN, "only the table of ligands has 'both'",
             replace("T.tsv", "both\t0.4\n", "")),
        Case("A condition is spelt in two ways", TRAIN, "has 'both' .* has 'Both'",
             replace("T.tsv", "both", "Both")),
        Case("Nothing was measured", TRAIN, "No TF activity of this network was measured",
             recode("T.tsv", lambda text: re.sub(rb"0\.\d", b"NA", text))),
        Case("A TF activity is infinite", TRAIN, "T.tsv, line 4, column 'T1': 'inf'",
             replace("T.tsv", "0.8", "inf")),
        Case("A TF activity is a word", TRAIN, "T.tsv, line 4, column 'T1': 'up'",
             replace("T.tsv", "0.8", "up")),
    ],
    "Nulls of a cross-validation": [
        Case("There is one fold", f"cross-validate {DATA} --folds F.tsv --out CV --nulls all",
             "1 of 1 folds have two different measured entries",
             content("F.tsv", "Index\tCondition\n0\tnone\n0\ttwo\n")),
        Case("Folds are too small for a correlation",
             f"cross-validate {DATA} --folds leave-one-out --out CV --nulls rewired",
             "0 of 4 folds have two different measured entries; two folds or more"),
        Case("The null has the activation of the model",
             f"{CROSS} --activation leakyRelu --nulls leaky-relu", "'leaky ReLU' is no null of a"),
        Case("A null is named twice", f"{CROSS} --nulls sigmoid,sigmoid", "named 2 times"),
    ],
    "Parameters": [
        Case("They are the folder of one training",
             f"knock-out {NETWORK} --ligands L.tsv --parameters RUN --out KO.tsv",
             "name the model in it: RUN/parameters.tsv", trained),
        Case("They are for Python",
             f"predict {NETWORK} --ligands L.tsv --parameters RUN/model.safetensors --out Y.tsv",
             "name the text of the model, parameters.tsv beside it", trained),
        Case("They are a folder of something else",
             f"knock-out {NETWORK} --ligands L.tsv --parameters D --out KO.tsv",
             "holds no members of a cross-validation", lambda folder: (folder / "D").mkdir()),
        Case("They belong to another network", PREDICT, NO_PARAMETERS + "lack 5",
             replace("P.tsv", "S1", "X1")),
        Case("An interaction is missing", PREDICT, NO_PARAMETERS + "lack 1 .* of S2 -> T1",
             replace("P.tsv", "S2\tT1\tWeight\t2.0\n", "")),
        Case("There is an interaction too many", PREDICT, NO_PARAMETERS + "have, .* of S1 -> T1",
             append("P.tsv", "S1\tT1\tWeight\t1.0")),
        Case("An interaction is given twice", PREDICT, "is given twice, in lines 11 and 22",
             append("P.tsv", "S2\tT1\tWeight\t2.0")),
        Case("A value is not a number", PREDICT, "P.tsv, line 9, column 'Value': 'NaN'",
             replace("P.tsv", "1.4", "NaN")),
        Case("A type is not known", PREDICT, "line 21: the type 'Output' is not known",
             replace("P.tsv", "Projection", "Output")),
        Case("The activation is not known", PREDICT, "P.tsv: Activation 'relu6' is not known",
             replace("P.tsv", "MML", "relu6")),
        Case("'activation' is misspelt", PREDICT, "'activaton: MML' .* Write 'activation'",
             replace("P.tsv", "activation", "activaton")),
        Case("The leak is not a number", PREDICT, "P.tsv: The leak .* 'big'",
             replace("P.tsv", "0.01", "big")),
        Case("The leak is out of range", PREDICT, r"P.tsv: leak is 2.0; .* \[0, 1\)",
             replace("P.tsv", "0.01", "2")),
        Case("The activation takes no leak", PREDICT, "'sigmoid' takes no leak",
             replace("P.tsv", "MML", "sigmoid")),
    ],
    "Nodes and conditions by name": [
        Case("A node is named by its symbol", f"{KNOCK_OUT} --nodes MAPK1",
             "'MAPK1' is the symbol of 'S1'", symbols),
        Case("A node is not in the network", f"{PREDICT} --knock-out S1,Q9", "'Q9' is not among"),
        Case("The TF to rank by is not known", f"{KNOCK_OUT} --rank T2", r"The TFs are 'T1' \(1\)"),
        Case("A node is given twice", f"{KNOCK_OUT} --nodes S1,S1", "more than once: S1"),
        Case("There is nothing between commas", f"{KNOCK_OUT} --nodes ,", "empty name", code=2),
        Case("A condition is not known", f"{KNOCK_OUT} --conditions one,three", "'three'"),
    ],
    "Output": [
        Case("The file exists", PREDICT, "--out Y.tsv exists; add --overwrite",
             content("Y.tsv", "precious")),
        Case("The second file exists", f"{PREDICT} --states H.tsv", "--states H.tsv exists",
             content("H.tsv", "precious")),
        Case("The file is also an input", f"predict {MODEL} --out ./L.tsv --overwrite",
             "--out L.tsv is also --ligands"),
        Case("Two outputs are one file", f"{PREDICT} --states Y.tsv", "--states Y.tsv is also"),
        Case("The file is a folder", f"predict {MODEL} --out .", "--out . is a folder"),
        Case("The folder does not exist", f"predict {MODEL} --out no/Y.tsv", "no does not exist"),
        Case("The folder is a file", f"predict {MODEL} --out L.tsv/Y.tsv", "L.tsv is a file"),
        Case("The disk is full", f"predict {MODEL} --out /dev/full", "/dev/full: No space left"),
        Case("The folder takes no files", f"predict {MODEL} --out /proc/Y.tsv",
             "Cannot write /proc/Y.tsv|/proc is not writable", is_documented=False),
        Case("The name is empty", ["predict", *MODEL.split(), "--out", ""], "--out: .* empty",
             code=2),
        Case("The folder of a run is not empty", TRAIN, "RUN is not empty",
             lambda folder: (folder / "RUN" / "notes").mkdir(parents=True)),
        Case("The folder of the demo holds something else", "demo --out .",
             "--out . is not empty, and the demo replaces files"),
        Case("The folder of a run is a file", TRAIN, "RUN: .*RUN is a file, not a folder",
             content("RUN", "precious"), is_documented=False),
        Case("The folder of a run would be in a file", f"train {DATA} --out L.tsv/RUN",
             "L.tsv is a file, not a folder", is_documented=False),
    ],
    "Going on with a run": [
        Case("There is none", f"{TRAIN} --resume", "holds no checkpoint.pt"),
        Case("A setting has changed", f"{TRAIN} --resume --lr 0.5", "--lr was .*, is 0.5",
             trained, is_documented=False),
        Case("The seed has changed", f"{TRAIN} --resume --seed 1", "--seed was 0, is 1", trained),
        Case("The activation has changed", f"{TRAIN} --resume --leak 0.02", "leak=0.02", trained),
        Case("The precision has changed", f"{TRAIN} --resume --precision float64",
             "was float32, is float64", trained),
        Case("The measurements have changed", f"{TRAIN} --resume",
             "other conditions or measurements", both(trained, replace("T.tsv", "0.8", "0.7"))),
        Case("The network has changed", f"{TRAIN} --resume", "pt cannot .* another network",
             both(trained, replace("M.tsv", "R2\tS1\t1\t0\t1", "R2\tS1\t1\t1\t0"))),
        Case("checkpoint.pt is cut off", f"{TRAIN} --resume", "checkpoint.pt is no readable",
             both(trained, recode("RUN/checkpoint.pt", lambda content: content[:2000]))),
        Case("checkpoint.pt is damaged", f"{TRAIN} --resume", "checksum",
             both(trained, recode("RUN/checkpoint.pt", lambda content: content.replace(
                 b"best_epoch", b"best_epocH"))), is_documented=False),
        Case("config.json is damaged", f"{TRAIN} --resume", "config.json is missing or damaged",
             both(trained, content("RUN/config.json", "{}"))),
    ],
    "Options": [
        Case("There is no command", "", "COMMAND", code=2),
        Case("A command is misspelt", "trian", "did you mean 'train'", code=2),
        Case("A command is written in another way", "knockout", "mean 'knock-out'", code=2),
        Case("An option is missing", "info --network M.tsv", "required: --annotation", code=2),
        Case("An option is misspelt", f"info --netwrok {NETWORK}", "mean '--network'", code=2),
        Case("An option is abbreviated", "info --net M.tsv", "mean '--network'", code=2),
        Case("An option came from a word processor", "info —network M.tsv", "'--network'", code=2),
        Case("An option does not exist", f"{INFO} --verbose", "'--verbose' is not an", code=2),
        Case("A file stands by itself", f"{INFO} T.tsv", "unrecognized arguments: T.tsv", code=2),
        Case("The format does not exist", "convert --format biopax M.tsv --out N.tsv",
             "'biopax' is not a format; choose from omnipath", code=2),
        Case("There is no file to convert", "convert --format kgml --out N.tsv",
             "required: FILE", code=2),
        Case("There is nothing to remove", f"curate {NETWORK} --out N.tsv",
             "nothing to do; add --remove-dead-ends", code=2),
        Case("Regulons, and no annotation to write", f"{CONVERT} --regulon R.tsv",
             "--regulon: it has no effect by itself; add --annotation-out", code=2),
        Case("Ligands, and neither receptors nor an annotation", f"{CONVERT} --ligands L1",
             "add --ligand-receptor or --annotation-out", code=2),
        Case("An option lacks a letter", f"{CONVERT} --ligand L1", "mean '--ligands'", code=2),
        Case("An option has another name", f"{PREDICT} --output Y", "mean '--out'", code=2),
        Case("A null is misspelt", f"{CROSS} --nulls rewire", "did you mean 'rewired'", code=2),
        Case("A null does not exist", f"{CROSS} --nulls sham", "choose from scrambled-y", code=2),
        Case("A null is named beside all", f"{CROSS} --nulls all,sigmoid", "beside 'all'", code=2),
        Case("There is no rewired network", f"{CROSS} --nulls rewired --null-repeats 0",
             "--null-repeats: 0 is not legal: it must be 1 or more", code=2),
        Case("A number of nulls without their names", f"{CROSS} --null-repeats 2",
             "add --nulls NAME", code=2),
        Case("Nulls of a null", f"{CROSS} --nulls all --scramble", "itself a null", code=2),
        Case("The preset is misspelt", f"{TRAIN} --preset toyy", "did you mean 'toy'", code=2),
        Case("The preset is abbreviated", f"{TRAIN} --preset macrophage",
             "did you mean 'literature-macrophage'", code=2),
        Case("The preset is of another command", f"{TRAIN} --preset viability",
             "drug-response trains with it; choose from toy", code=2),
        Case("The preset is of another model", f"{CROSS} --preset reference-model-paper",
             "takes it, without data; choose from toy", code=2),
        Case("A single fold", f"{CROSS} --folds 1", "it must be 2 folds or more", code=2),
        Case("More folds than conditions", f"{CROSS} --folds 5",
             "5 is more than the 4 conditions", code=2),
        Case("A number of folds in words", f"{CROSS} --folds five",
             "'five' is no file, nor a number of folds, nor leave-one-out or", code=2),
        Case("A rule of folds is misspelt", f"{CROSS} --folds leave-one-oat",
             "did you mean 'leave-one-out'", code=2),
        Case("The preset does not exist", f"{TRAIN} --preset mine", "choose from toy", code=2),
        Case("The activation does not exist", f"{TRAIN} --activation relu6", "MML, leaky", code=2),
        Case("The leak is 1", f"{TRAIN} --leak 1", r"leak is 1.0; it must lie in \[0, 1\)", code=2),
        Case("The leak is negative", f"{TRAIN} --leak -1e-2", "leak is -0.01", code=2),
        Case("A leak is given to the sigmoid", f"{TRAIN} --activation sigmoid --leak 0.1",
             "takes no leak", code=2),
        Case("No epochs", f"{TRAIN} --epochs 0", "--epochs: epochs is 0", code=2),
        Case("Broken epochs", f"{TRAIN} --epochs 1.5", "'1.5' is not a whole number", code=2),
        Case("A negative learning rate", f"{TRAIN} --lr -1", "--lr: lr is -1", code=2),
        Case("A learning rate that is no number", f"{TRAIN} --lr nan", "not a finite", code=2),
        Case("A decimal comma", f"{TRAIN} --lr 0,01", "decimal sign as a point", code=2),
        Case("Empty batches", f"{TRAIN} --batch-size 0", "batch_size is 0", code=2),
        Case("A negative seed", f"{TRAIN} --seed -1", "seed is -1", code=2),
        Case("A huge seed", f"{TRAIN} --seed {10**30}", r"below 2\*\*63", code=2),
        Case("Limits that exclude each other", f"{TRAIN} --uniform-min 1",
             "--uniform-min: .* the first must be the smaller", code=2),
        Case("A word that is not known", f"{TRAIN} --spectral-term ratio", "rate, radius", code=2),
        Case("A precision that does not exist", f"{TRAIN} --precision float16", "float32, fl",
             code=2),
        Case("No threads", f"{PREDICT} --threads 0", "must be 1 or more", code=2),
        Case("Too many threads", f"{PREDICT} --threads 100000", "must be 1024 or less", code=2),
        Case("No tolerance", f"{PREDICT} --tol 0", "--tol: 0 is not legal", code=2),
        Case("A negative tolerance", f"{PREDICT} --tol -1e-6", "--tol: -1e-6 is not", code=2),
        Case("No steps", f"{PREDICT} --max-steps 0", "--max-steps: 0 is not legal", code=2),
        Case("A strength that is no number", f"{KNOCK_OUT} --strength -inf", "finite", code=2),
        Case("A state to clamp, and a strength", f"{KNOCK_OUT} --clamp 0 --strength -3",
             "takes the place of --strength", code=2),
        Case("Pairs of all nodes", f"{KNOCK_OUT} --pairs", "add --nodes CODE", code=2),
        Case("A ranked list of pairs", f"{KNOCK_OUT} --pairs --nodes S1,R1 --rank T1",
             "--rank writes one row a node", code=2),
        Case("Rows of every model, of which there is one", f"{KNOCK_OUT} --by-member",
             "give several --parameters", code=2),
        Case("A ranked list for a node that is no TF", f"{KNOCK_OUT} --rank S1",
             "'S1' is not a TF of this network"),
        Case("A strength, and nothing to knock out", f"{PREDICT} --strength -3", "add --knock-out",
             code=2),
    ],
    "TF activities": [
        Case("A gene is given twice", ACTIVITY, "'G1' is given twice, in lines 3 and 4",
             expressed(replace("E.tsv", "G2", "G1"))),
        Case("An expression is missing", ACTIVITY, "line 4, column 'S2': 'NA' is not legal",
             expressed(replace("E.tsv", "5.5", "NA"))),
        Case("No gene is a target of the regulon", ACTIVITY, "No gene of the expression table",
             expressed(content("R.csv", "tf,target,mor\nP1,P00001,1\nP1,P00002,1\n"))),
        Case("All targets of TFs are too few", ACTIVITY, "None of 1 TFs has 5 targets",
             expressed(content("R.csv", "tf,target,mor\nP1,G1,1\nP1,G2,1\n"))),
        Case("The regulon has no levels", f"{ACTIVITY} --levels A,B", "no levels of confidence",
             expressed(content("R.csv", "tf,target,mor\nP1,G1,1\nP1,G2,1\n"))),
        Case("A sample of the sheet was not measured", ACTIVITY, "samples that were measured: S9",
             expressed(replace("SHEET.tsv", "S2", "S9"))),
        Case("A measured sample is not in the sheet", ACTIVITY, "leave them out by --drop-unlisted",
             expressed(replace("SHEET.tsv", "S2\tTNF\n", ""))),
        Case("A condition has one sample", ACTIVITY, "one sample, such as 'EGF'.* --keep-singles",
             expressed(replace("SHEET.tsv", "S2\tTNF", "S2\tEGF"))),
        Case("The logarithm of a negative number", f"{ACTIVITY} --log", "leave out --log",
             expressed(replace("E.tsv", "5.5", "-5.5"))),
        Case("All genes are the same in all samples", ACTIVITY, "None of the 3 genes is left",
             expressed(content("E.tsv", "\tS1\tS2\tS3\tS4\nG0\t1\t1\t1\t1\nG1\t2\t2\t2\t2\n"
                               "G2\t3\t3\t3\t3\n"))),
        Case("A ligand is not known", "tf-activity --scores E.tsv --samples SHEET.tsv --out Y.tsv "
             "--ligands-out N.tsv --ligand-map MAP.tsv --max-spread 1", "'PBS', which is no ligand",
             expressed(content("MAP.tsv", "Name\tCode\nTNF\tP01375\n"))),
        Case("Expression without a regulon",
             "tf-activity --expression E.tsv --samples SHEET.tsv --out Y.tsv", "add --regulon",
             expressed(), code=2),
        Case("--ligand-map without --ligands-out", f"{ACTIVITY} --ligand-map MAP.tsv",
             "no effect without --ligands-out", expressed(), code=2),
    ],
    "Training": [
        Case("The learning rate is far too large", f"train {DATA} --lr 1e30 --epochs 20 --out RUN",
             "became infinite or NaN in epoch .* Lower the learning rate .* RUN holds",
             is_documented=False),
    ],
}  # fmt: skip
LEAVES_FILES = {"The learning rate is far too large"}

# Commands that succeed, and say what is odd.
WARNINGS = [
    Case("Too few steps", f"{PREDICT} --max-steps 4",
         "of 4 conditions did not reach a steady state .*: one .* Raise the number of steps"),
    Case("A feedback that oscillates", PREDICT, "did not reach a steady state .* oscillation",
         both(replace("P.tsv", "1.4", "-50"), replace("P.tsv", "MML", "leakyRelu"))),
    Case("Prediction: no path leads from a ligand to a TF", PREDICT, "No path leads",
         both(no_path, replace("P.tsv", "S2\tT1", "T1\tS2"))),
    Case("Knock-outs: no path leads from a ligand to a TF", KNOCK_OUT, "No path leads",
         both(no_path, replace("P.tsv", "S2\tT1", "T1\tS2"))),
    Case("A network without roles", f"{CONVERT} --annotation-out N.txt",
         "no transcription factor; name them with --tfs, or give --regulon"),
    Case("A node has no interaction", INFO, "no interaction names them: 'Z9'",
         append("A.tsv", "Z9\tZ9\tFalse\tFalse")),
    Case("The network has no ligand", INFO, "The network has no ligand",
         replace("A.tsv", "False\tTrue", "False\tFalse")),
    Case("A measured TF is not in the network", TRAIN, "not modeled: 'Q9'",
         content("T.tsv", "\tT1\tQ9\nnone\t0\t0\none\t0\t0\ntwo\t1\t0\nboth\t1\t0\n")),
    Case("A TF activity is no fraction", TRAIN, r"lie outside \[-0.5, 1.5\], such as 8 for 'T1'",
         replace("T.tsv", "0.8", "8")),
]  # fmt: skip


# ---- running a case


def fill(folder):
    """Write the toy tables under the names the commands use."""
    for letter, name in (("M", "Model"), ("A", "Annotation"), ("P", "Parameters")):
        shutil.copyfile(TOY / f"toy-{name}.tsv", folder / f"{letter}.tsv")
    (folder / "L.tsv").write_text(LIGANDS)
    (folder / "T.tsv").write_text(TFS)


def run(argv, folder):
    """Exit code, output and errors of a command in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    return code, out.getvalue(), err.getvalue()


def run_case(case, folder):
    fill(folder)
    if case.change is not None:
        case.change(folder)
    before = files(folder)
    argv = case.command.split() if isinstance(case.command, str) else case.command
    return before, *run(argv, folder)


def files(folder):
    return {path: path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


def ids(cases):
    return [case.name for case in cases]


ALL = [case for cases in CASES.values() for case in cases]


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_bad_input_ends_in_one_paragraph_and_leaves_all_files_as_they_were(case, tmp_path):
    before, code, out, err = run_case(case, tmp_path)
    *warned, last = err.splitlines()
    assert code == case.code, err
    assert re.match(r"lembas-pyg( [a-z-]+)?: error: ", last)
    assert re.search(case.message, last), last
    assert last.endswith((".", "?"))
    assert all(line.startswith("lembas-pyg: warning: ") for line in warned)
    assert out == ""
    if case.name not in LEAVES_FILES:
        assert files(tmp_path) == before


@pytest.mark.parametrize("case", WARNINGS, ids=ids(WARNINGS))
def test_odd_input_is_done_with_a_warning(case, tmp_path):
    _, code, _, err = run_case(case, tmp_path)
    assert code == 0, err
    warned = [line for line in err.splitlines() if line.startswith("lembas-pyg: warning: ")]
    assert re.search(case.message, "\n".join(warned)), err


def test_conditions_without_a_steady_state_are_blank(tmp_path):
    fill(tmp_path)
    code, _, err = run([*PREDICT.split(), "--states", "H.tsv", "--max-steps", "4"], tmp_path)
    assert code == 0
    table = pd.read_csv(tmp_path / "Y.tsv", sep="\t", index_col=0)
    states = pd.read_csv(tmp_path / "H.tsv", sep="\t", index_col=0)
    blank = table.index[table["T1"].isna()]
    assert 0 < len(blank) < len(table)
    assert list(states.index[states.isna().all(axis=1)]) == list(blank)
    assert all(f"{name} (residual" in err for name in blank)


def test_knock_outs_without_a_steady_state_are_blank(tmp_path):
    fill(tmp_path)
    code, _, err = run([*KNOCK_OUT.split(), "--max-steps", "4"], tmp_path)
    assert code == 0
    table = pd.read_csv(tmp_path / "KO.tsv", sep="\t").set_index(["condition", "node"])
    assert table["delta"].isna().any() and table["delta"].notna().any()
    assert "L1 under one (residual" in err


def test_no_message_of_the_program_asks_for_a_function():
    assert re.findall(r"^.*`[\w.]+\(.*$", page(), flags=re.MULTILINE) == []


def test_the_page_of_messages_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/bad-inputs.md is out of date; run `python tests/test_bad_inputs.py`."
    )


def page():
    """``docs/bad-inputs.md``: every case with the message it gets."""
    text = [
        "# When something is wrong",
        "",
        "What `lembas-pyg` says of bad input. A message is one paragraph on stderr, and the exit",
        "code is 1 for input that cannot be used, 2 for a mistake in the command itself. Files",
        "stay as they were. In these examples `M.tsv` is the network, `A.tsv` the annotation,",
        "`P.tsv` the parameters, `L.tsv` the ligands and `T.tsv` the TFs of the toy network.",
        "",
        "This page is made by the tests: `python tests/test_bad_inputs.py`.",
    ]
    groups = {**CASES, "Warnings: the command goes on, and exits with 0": WARNINGS}
    for title, cases in groups.items():
        entries = [entry for case in cases if case.is_documented for entry in describe(case)]
        text += ["", f"## {title}", *entries] if entries else []
    return "\n".join(text) + "\n"


def describe(case):
    """A case and its message, as an entry of a definition list."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        _, _, _, err = run_case(case, folder)
        line = next(line for line in err.splitlines()[::-1] if re.search(case.message, line))
        line = line.replace(str(folder), "FOLDER")
    name = re.sub("--[a-z-]+", r"`\g<0>`", case.name)
    command = case.command if isinstance(case.command, str) else " ".join(case.command)
    code = f" (exit code {case.code})" if case.code == 2 else ""
    given = f" `{command}`" if case.code == 2 and len(command) < 60 and command else ""
    return ["", f"{name}{code}{given and ':'}{given}", f": ``{line}``"]


# ---- the real program, and its interruption

EPOCHS = 800
LONG = [*TRAIN.split(), "--epochs", str(EPOCHS)]
# As `python -m lembas_pyg`, with a checkpoint after every epoch instead of every half minute, and
# with epochs slow enough for a test to come in between on a busy machine. Processes in the
# background of a shell, and what they start, ignore Ctrl-C unless told otherwise.
EAGER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from lembas_pyg.training import trainer
trainer._SECONDS_BETWEEN_CHECKPOINTS = 0
save = trainer.save_tensors
trainer.save_tensors = lambda *arguments: save(*arguments) or time.sleep(0.02)
from lembas_pyg.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    fill(folder)
    code, _, err = run(LONG, folder)
    assert code == 0, err
    return folder / "RUN"


def start_training(folder):
    """A training that has done some epochs."""
    process = subprocess.Popen(
        [sys.executable, "-c", EAGER, *LONG],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    checkpoint, seen = folder / "RUN" / "checkpoint.pt", set()
    end = time.monotonic() + 100
    while len(seen) < 5:  # the first is that before training
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the training did not start in time"
        if checkpoint.exists():
            seen.add(checkpoint.stat().st_mtime_ns)
        time.sleep(0.002)
    return process


def assert_same_run(one, other):
    for name in ("parameters.tsv", "best-parameters.tsv", "model.safetensors", "fit.tsv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    first, second = (pd.read_csv(run / "history.tsv", sep="\t") for run in (one, other))
    pd.testing.assert_frame_equal(
        first.drop(columns="seconds"), second.drop(columns="seconds"), check_exact=True
    )
    assert len(first) == EPOCHS


def test_the_program_ends_with_the_exit_code_and_no_traceback(tmp_path):
    fill(tmp_path)
    command = [sys.executable, "-m", "lembas_pyg", *PREDICT.replace("P.tsv", "L.tsv").split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"lembas-pyg: error: L\.tsv, line 1: [^\n]*\n", done.stderr)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_training_keeps_what_it_has_and_goes_on(name, tmp_path, uninterrupted):
    fill(tmp_path)
    process = start_training(tmp_path)
    folder = tmp_path / "RUN"
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert re.search(r"Interrupted after \d+ of 800 epochs. RUN holds", err.splitlines()[-1])
    num_epochs = len(pd.read_csv(folder / "history.tsv", sep="\t"))
    assert 0 < num_epochs < EPOCHS
    for file in ("parameters.tsv", "best-parameters.tsv", "checkpoint.pt"):
        assert (folder / file).is_file()
    code, _, err = run([*LONG, "--resume"], tmp_path)
    assert code == 0, err
    assert_same_run(folder, uninterrupted)


def test_a_killed_training_goes_on_from_its_last_checkpoint(tmp_path, uninterrupted):
    fill(tmp_path)
    process = start_training(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (tmp_path / "RUN" / ".checkpoint.pt.0.partial").write_text("killed while it was written")
    code, _, err = run([*LONG, "--resume"], tmp_path)
    assert code == 0, err
    assert not list((tmp_path / "RUN").glob(".*.partial"))
    assert_same_run(tmp_path / "RUN", uninterrupted)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
