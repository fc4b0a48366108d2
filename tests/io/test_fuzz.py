"""Readers given damaged files: a table, or an error that names the file; never anything else."""

import gzip
import random

import pytest

from lembas_pyg import io

SIGNOR = (
    "ENTITYA;TYPEA;IDA;DATABASEA;ENTITYB;TYPEB;IDB;DATABASEB;EFFECT\n"
    "A;protein;P1;UNIPROT;B;protein;P2;UNIPROT;up-regulates activity\n"
    "B;protein;P2;UNIPROT;C;complex;SIGNOR-C1;SIGNOR;down-regulates\n"
)
MITAB = ["-"] * 46
MITAB[0], MITAB[1], MITAB[45] = "uniprotkb:P1", "uniprotkb:P2", 'psi-mi:"MI:2235"(up-regulates)'
OMNIPATH = (
    "source\ttarget\tis_directed\tis_stimulation\tis_inhibition\tconsensus_direction\t"
    "consensus_stimulation\tconsensus_inhibition\tsources\treferences\n"
    "P1\tP2\t1\t1\t0\t1\t1\t0\tSIGNOR;KEGG\tSIGNOR:123\n"
    "P2\tP3\tTrue\tFalse\tTrue\tTrue\tFalse\tTrue\tKEGG\t\n"
)
KGML = (
    '<?xml version="1.0"?>\n<pathway name="path:xyz1" org="xyz">\n'
    '<entry id="1" name="xyz:1" type="gene"><graphics name="A, B"/></entry>\n'
    '<entry id="2" name="xyz:2 xyz:3" type="gene"/>\n'
    '<relation entry1="1" entry2="2" type="PPrel"><subtype name="activation" value="--&gt;"/>'
    "</relation>\n</pathway>\n"
)
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    '<key id="d0" for="edge" attr.name="sign" attr.type="long"/>'
    '<graph edgedefault="directed"><node id="A"/><node id="B"/>'
    '<edge source="A" target="B"><data key="d0">1</data></edge></graph></graphml>'
)
FILES = {
    "read_annotation": "code\tname\tTF\tligand\nP1\tA\tFalse\tTrue\nP2\tB\tTrue\tFalse\n",
    "read_causaltab": "#header\n" + "\t".join(MITAB) + "\n",
    "read_conditions": "\tP1\tP2\none\t0\t1\ntwo\t0.5\t1e-3\n",
    "read_expression": "gene\tS1\tS2\nG1\t1\t2.5\nG2\t-3\t4e2\n",
    "read_folds": "Index\tCondition\n0\tone\n1\ttwo\n",
    "read_gene_list": "Entry\tnote\nP1\tx\nP2\ty\n",
    "read_gene_names": "Entry\tGene names  (primary )\nP1\tA\nP2\tB; C\n",
    "read_graphml": GRAPHML,
    "read_interactions": "source\ttarget\tdirection\tstimulation\tinhibition\tsources\treferences\n"
    "P1\tP2\t1\t1\t0\tKEGG\tKEGG:1\nP2\tP3\t1\t0\t1\tSIGNOR\t\n",
    "read_intercell": "uniprot\tgenesymbol\tentity_type\tcategory\ttransmitter\treceiver\t"
    "secreted\tplasma_membrane_transmembrane\tplasma_membrane_peripheral\n"
    "P1\tA\tprotein\tligand\tTrue\tFalse\tTrue\tFalse\tFalse\n",
    "read_kegg_mapping": "hsa:1\tup:P1\nhsa:2\tup:P2\n",
    "read_kgml": KGML,
    "read_ligand_map": "Name,Code\nTNF,P1\nIL4,P2\n",
    "read_ligand_receptor": "source,target,resource\nP1,P2,CellPhoneDB\n",
    "read_omnipath": OMNIPATH,
    "read_parameters": "Source\tTarget\tType\tValue\nA\tB\tWeight\t0.5\nA\t\tBias\t-0.25\n",
    "read_regulon": "tf,confidence,target,mor\nT1,A,G1,1\nT1,B,G2,-1\n",
    "read_samples": "sample\tcondition\nS1\tone\nS2\ttwo\n",
    "read_sif": "A\tactivates\tB\nB\tinhibits\tC\n",
    "read_signor": SIGNOR,
    "read_signor_complexes": "SIGNOR ID;COMPLEX NAME;LIST OF ENTITIES\nSIGNOR-C1;x;P1, P2\n",
    "read_tsv": "a\tb\n1\t2\n",
}
PIECES = [
    b"\t", b"\n", b"\r\n", b"\r", b'"', b"'", b";", b",", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"<", b">", b"&", b"nan", b"inf", b"-1e999", b"1", b" ", "é".encode(), "\u2028".encode(),
    b"\x1f\x8b", b"#", b"True", b"",
]  # fmt: skip


def damaged(text, generator):
    """The text with one to four changes: bytes replaced, put in, cut out or doubled."""
    for _ in range(generator.randint(1, 4)):
        start = generator.randint(0, len(text))
        end = min(len(text), start + generator.choice([0, 0, 1, 3, 20]))
        how = generator.random()
        if how < 0.6:
            text = text[:start] + generator.choice(PIECES) + text[end:]
        elif how < 0.7:
            text = text[:start]
        elif how < 0.85:
            lines = text.split(b"\n")
            lines.insert(generator.randrange(len(lines) + 1), generator.choice(lines))
            text = b"\n".join(lines)
        else:
            text = text[:start] + generator.randbytes(3) + text[end:]
    return text


def test_every_reader_is_here():
    of_folders = {"read_curation", "read_drug_screen"}
    assert set(FILES) == {name for name in io.__all__ if name.startswith("read_")} - of_folders


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused_by_name(name, tmp_path, caplog):
    reader, generator = getattr(io, name), random.Random(name)
    path = tmp_path / "given.txt"
    text = FILES[name].encode()
    path.write_bytes(text)
    reader(path)  # whole, it is read
    for number in range(150):
        content = damaged(text, generator)
        if number % 30 == 0:
            content = gzip.compress(content)[: -generator.randint(0, 9) or None]
        path.write_bytes(content)
        try:
            reader(path)
        except ValueError as error:
            assert type(error) is ValueError, (error, content)
            assert str(path) in str(error), (error, content)
            assert len(str(error)) < 2000
        except Exception as error:
            raise AssertionError(f"{error!r} for {content!r}") from error
