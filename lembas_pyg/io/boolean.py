r"""Networks as Boolean models: a node is on if an activator is on and no inhibitor is.

.. math:: i^{t+1} = \Big(\bigvee_{j \to i} j\Big) \wedge \bigwedge_{k \dashv i} \neg k

Without activators the first factor is true. A node that nothing of known sign acts on keeps its
state: it is an input of the model. An interaction with both signs counts as unknown.
"""

import re
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.export import check_xml, checked_tables, losses
from lembas_pyg.io.interactions import PAIR, interaction_sign, merge_interactions
from lembas_pyg.io.tsv import FilePath, write_text

_SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" \
xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" qual:required="true">
<model>
<listOfCompartments><compartment id="{cell}" constant="true"/></listOfCompartments>
"""
_SIGN = {1: "positive", -1: "negative", 0: "unknown"}
HELD = {*PAIR, "direction", "stimulation", "inhibition", "code"}


class _Rule(NamedTuple):
    """What acts on a node, by sign."""

    activators: list[str]
    inhibitors: list[str]
    unknown: list[str]

    @property
    def is_input(self) -> bool:
        return not (self.activators or self.inhibitors)


class _Model(NamedTuple):
    """The rule of every node, its identifier, and the tables it was made from."""

    rules: dict[str, _Rule]
    identifier: dict[str, str]
    interactions: pd.DataFrame
    annotation: pd.DataFrame
    num_undirected: int

    def undirected(self) -> str:
        count = self.num_undirected
        return f"{count:,} interactions without a direction are left out." if count else ""


def write_bnet(
    interactions: pd.DataFrame, path: FilePath, annotation: pd.DataFrame | None = None
) -> list[str]:
    """Write a network as Boolean rules (``.bnet``), for PyBoolNet, mpbn, BoolNet or MaBoSS.

    One line a node: ``target, (activator | activator) & !inhibitor & !inhibitor``; an input keeps
    its state (``input, input``). Lost are interactions of unknown sign or without direction,
    evidence, names and roles. Characters other than letters, digits and ``_`` become ``_``.

    Args:
        interactions: Interaction table; rows of the same pair are merged.
        path: File to write or replace, compressed if it ends in ``.gz``.
        annotation: All nodes; those without interactions become inputs.

    Returns:
        A sentence for everything the file does not hold, and for every node with another name.

    Raises:
        OSError: The file cannot be written.
        ValueError: A table is not what it should be, or a node is not annotated.

    References:
        Klarner et al. (2017), PyBoolNet; the dialect of BoolNet (header ``targets, factors``).
    """
    model = _boolean_model(interactions, annotation)
    name = model.identifier
    lines = ["targets, factors"]
    for code, rule in model.rules.items():
        factors = [f"!{name[inhibitor]}" for inhibitor in rule.inhibitors]
        if rule.activators:
            any_activator = " | ".join(name[activator] for activator in rule.activators)
            is_alone = len(rule.activators) == 1 or not factors
            factors.insert(0, any_activator if is_alone else f"({any_activator})")
        lines.append(f"{name[code]}, {' & '.join(factors) or name[code]}")
    write_text("\n".join(lines) + "\n", path)

    unknown = sum(len(rule.unknown) for rule in model.rules.values())
    freed = [code for code, rule in model.rules.items() if rule.is_input and rule.unknown]
    return losses(
        model.interactions,
        model.annotation,
        HELD,
        path,
        model.undirected(),
        f"{unknown:,} interactions of unknown sign are left out." if unknown else "",
        f"{_listed(freed)} became inputs: nothing of known sign acts on them." if freed else "",
        *[f"'{code}' is named '{new}'." for code, new in name.items() if code != new],
    )


def write_sbml_qual(
    interactions: pd.DataFrame, path: FilePath, annotation: pd.DataFrame | None = None
) -> list[str]:
    """Write a network as a qualitative model (SBML level 3, package qual), for GINsim or CellNOpt.

    Species are Boolean (maximal level 1) and named by symbol. Every interaction is an input of its
    target's transition with its sign, also an unknown one, which the Boolean function does not use.
    Lost are interactions without direction, evidence and roles.

    Args:
        interactions: Interaction table; rows of the same pair are merged.
        path: File to write or replace, compressed if it ends in ``.gz``.
        annotation: Names of all nodes, with interactions or without.

    Returns:
        A sentence for everything the file does not hold, and for every node with another id.

    Raises:
        OSError: The file cannot be written.
        ValueError: A table is not what it should be, a node is not annotated, or a name has
            control characters.

    References:
        Chaouiya et al. (2013), SBML qualitative models, BMC Syst. Biol. 7, 135.
    """
    model = _boolean_model(interactions, annotation)
    names = dict(zip(model.annotation["code"], model.annotation["name"], strict=True))
    check_xml([*names, *names.values()], path)
    # Ids share one space, so that nothing but the species and their compartment gets one.
    cell = "cell"
    while cell in model.identifier.values():
        cell += "_"
    lines = [_SBML.format(cell=cell), "<qual:listOfQualitativeSpecies>\n"]
    for code, rule in model.rules.items():
        lines.append(
            f'<qual:qualitativeSpecies qual:id="{model.identifier[code]}" '
            f'qual:compartment="{cell}" qual:name={quoteattr(names[code] or code)} '
            f'qual:maxLevel="1" qual:constant="{str(rule.is_input).lower()}"/>\n'
        )
    lines.append("</qual:listOfQualitativeSpecies>\n")
    transitions = [
        _transition(model.identifier[code], rule, model.identifier)
        for code, rule in model.rules.items()
        if not rule.is_input
    ]
    if transitions:
        lines += ["<qual:listOfTransitions>\n", *transitions, "</qual:listOfTransitions>\n"]
    lines.append("</model>\n</sbml>\n")
    write_text("".join(lines), path)

    free = {code: rule for code, rule in model.rules.items() if rule.is_input and rule.unknown}
    unknown = sum(len(rule.unknown) for rule in free.values())
    return losses(
        model.interactions,
        model.annotation,
        HELD | {"name"},
        path,
        model.undirected(),
        f"{unknown:,} interactions of unknown sign are left out, as nothing of known sign acts on "
        f"their targets {_listed(free)}, which became inputs."
        if free
        else "",
        *[f"'{code}' has the id '{new}'." for code, new in model.identifier.items() if code != new],
    )


def _boolean_model(interactions: pd.DataFrame, annotation: pd.DataFrame | None) -> _Model:
    interactions, annotation = checked_tables(interactions, annotation)
    table = merge_interactions(interactions)
    is_directed = table["direction"] == 1 if "direction" in table else table["source"].notna()
    directed = table[is_directed]
    rules = {code: _Rule([], [], []) for code in check_annotation(annotation)["code"]}
    rows = zip(directed["source"], directed["target"], interaction_sign(directed), strict=True)
    for source, target, sign in rows:
        rule = rules[target]
        (rule.unknown, rule.activators, rule.inhibitors)[sign].append(source)
    num_undirected = len(table) - len(directed)
    return _Model(rules, _identifiers(rules), directed, annotation, num_undirected)


def _identifiers(codes: dict[str, _Rule]) -> dict[str, str]:
    """A name of letters, digits and underscores for every code, each different."""
    found: dict[str, str] = {}
    taken = {code for code in codes if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", code)}
    for code in codes:
        name = re.sub("[^A-Za-z0-9_]", "_", code)
        name = name if re.match("[A-Za-z_]", name) else f"n_{name}"
        if code not in taken:
            plain, number = name, 2
            while name in taken:
                name, number = f"{plain}_{number}", number + 1
            taken.add(name)
        found[code] = name
    return found


def _transition(target: str, rule: _Rule, name: dict[str, str]) -> str:
    inputs = "".join(
        f'<qual:input qual:qualitativeSpecies="{name[source]}" '
        f'qual:transitionEffect="none" qual:sign="{_SIGN[sign]}"/>\n'
        for sign, sources in ((1, rule.activators), (-1, rule.inhibitors), (0, rule.unknown))
        for source in sources
    )
    factors = [_level(name[source], 0) for source in rule.inhibitors]
    if rule.activators:
        factors.insert(0, _joined("or", [_level(name[source], 1) for source in rule.activators]))
    return (
        f"<qual:transition>\n<qual:listOfInputs>\n{inputs}"
        f"</qual:listOfInputs>\n<qual:listOfOutputs>\n<qual:output "
        f'qual:qualitativeSpecies="{target}" qual:transitionEffect="assignmentLevel"/>\n'
        "</qual:listOfOutputs>\n<qual:listOfFunctionTerms>\n"
        '<qual:defaultTerm qual:resultLevel="0"/>\n<qual:functionTerm qual:resultLevel="1">'
        f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_joined("and", factors)}</math>'
        "</qual:functionTerm>\n</qual:listOfFunctionTerms>\n</qual:transition>\n"
    )


def _level(species: str, level: int) -> str:
    return f'<apply><eq/><ci>{escape(species)}</ci><cn type="integer">{level}</cn></apply>'


def _joined(operator: str, terms: list[str]) -> str:
    return terms[0] if len(terms) == 1 else f"<apply><{operator}/>{''.join(terms)}</apply>"


def _listed(codes: dict[str, _Rule] | list[str], limit: int = 5) -> str:
    names = [f"'{code}'" for code in codes]
    more = f", ... ({len(names)} in all)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
