"""Mutants against those of a few lines, listed by hand."""

import ast

import pytest

from benchmarks.mutations import mutations


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("y = a < b", ["y = a <= b"]),
        ("y = a + 2", ["y = a - 2", "y = a + 3"]),
        ("y = a and not b", ["y = a or not b", "y = a and b"]),
        ("y = True", ["y = False"]),
        ("y = x.max(dim=z)", ["y = x.max()", "y = x.min(dim=z)"]),
        ("x[i] += z", ["x[i] -= z", "pass"]),
        ("x.a = z", ["pass"]),
        ("x.fill_(z)", ["pass"]),
        ("def f(x):\n    return x", ["def f(x):\n    return None"]),
        ("x: Literal[1] = any(z)", ["x: Literal[1] = all(z)"]),
        # Words, imports and what only type checkers read stay as they are.
        ("'''A text.'''\n__all__ = ['a' + 'b']", []),
        ("def f(x: 'int | None') -> 'int | None':\n    raise ValueError(f'{x + 1}')", []),
        ("if TYPE_CHECKING:\n    y = 1", []),
        ("warnings.warn(f'{x + 1}', stacklevel=2)", ["pass"]),
    ],
)
def test_every_change_of_a_line(source, changed):
    found = []
    for number in range(len(mutations(ast.parse(source)))):
        tree = ast.parse(source)
        mutations(tree)[number].apply()
        compile(ast.fix_missing_locations(tree), "mutant", "exec")
        found.append(ast.unparse(tree))
    assert sorted(found) == sorted(changed)


def test_a_mutation_knows_the_head_of_its_statement_and_its_function():
    source = "def f(x):\n    if (x >\n        y):\n        x = z\n    return x"
    (greater, given_back) = mutations(ast.parse(source))
    assert (greater.lines, greater.function) == ((2, 3), (1, 5))
    assert (given_back.lines, given_back.function) == ((5, 5), (1, 5))
