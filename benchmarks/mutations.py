"""Small changes of a module's syntax tree, each of which a test should notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Mutation", "mutations"]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_PAIRS = (
    ("min", "max"),
    ("amin", "amax"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("any", "all"),
)
_SWAPPED = dict([*_PAIRS, *((b, a) for a, b in _PAIRS)])
# What is said to the user: the words are not tested one by one.
_WORDS = ("warn", "debug", "info", "warning", "error")
_NOT_CHANGED = (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Mutation:
    """One change of one place.

    Attributes:
        line: Line of the place.
        lines: First and last line of its statement, or of the head of a compound statement.
        function: Lines of the function around it, None outside of all.
        text: What was changed into what.
        apply: Makes the change in the tree.
    """

    line: int
    lines: tuple[int, int]
    function: tuple[int, int] | None
    text: str
    apply: Callable[[], None]


def mutations(tree: ast.Module) -> list[Mutation]:
    """All changes of a module, in the order of the source.

    Left out: docstrings and other texts, annotations, what is raised, warned or logged,
    imports, `__all__`, overloads and what only type checkers read.

    Args:
        tree: The parsed module, which the changes are made in.
    """
    return list(_inside(tree, (1, 1), None))


def _inside(
    node: ast.AST, lines: tuple[int, int], function: tuple[int, int] | None
) -> Iterator[Mutation]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            around, body = lines, function
            if isinstance(child, ast.stmt):
                last = child.end_lineno or child.lineno
                inner = getattr(child, "body", None)
                around = (child.lineno, max(child.lineno, inner[0].lineno - 1) if inner else last)
                if isinstance(child, ast.FunctionDef):
                    body = (child.lineno, last)
            for text, changed in _changes(child):
                place = value if isinstance(value, list) else node
                key = index if isinstance(value, list) else name
                yield Mutation(
                    getattr(child, "lineno", around[0]),
                    around,
                    body,
                    text,
                    _put(place, key, changed),
                )
            if not (isinstance(child, ast.Expr) and _called(child.value) in _WORDS):
                yield from _inside(child, around, body)


def _put(place: object, key: int | str, node: ast.AST) -> Callable[[], None]:
    def put() -> None:
        if isinstance(place, list):
            place[key] = node
        else:
            setattr(place, str(key), node)

    return put


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, _NOT_CHANGED):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    if isinstance(node, ast.FunctionDef):
        return "overload" in map(ast.unparse, node.decorator_list)
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _called(node: ast.AST) -> str | None:
    """Last name of what a call calls."""
    return ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else None


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can take the place of a node, each with a text that says so."""
    for changed in _expressions(node):
        ast.fix_missing_locations(ast.copy_location(changed, node))
        yield f"`{ast.unparse(node)}` to `{ast.unparse(changed)}`", changed
    if _is_removable(node):
        yield f"`{ast.unparse(node)}` removed", ast.copy_location(ast.Pass(), node)
    if isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            changed = ast.Return(ast.Constant(None))
            ast.fix_missing_locations(ast.copy_location(changed, node))
            yield f"`{ast.unparse(node)}` to `return None`", changed


def _is_removable(node: ast.AST) -> bool:
    """Whether a statement acts in place: a call, or an assignment to what is there already."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.AugAssign):
        return True
    return isinstance(node, ast.Assign) and isinstance(
        node.targets[0], ast.Attribute | ast.Subscript
    )


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            ops = [*node.ops[:index], _COMPARISONS[type(op)](), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name) and node.id in _SWAPPED:
        yield ast.Name(_SWAPPED[node.id], node.ctx)
    elif isinstance(node, ast.Attribute) and node.attr in _SWAPPED:
        yield ast.Attribute(node.value, _SWAPPED[node.attr], node.ctx)
    elif isinstance(node, ast.Call) and _called(node) not in _WORDS:
        for index, keyword in enumerate(node.keywords):
            if keyword.arg is None:
                continue
            rest = [*node.keywords[:index], *node.keywords[index + 1 :]]
            yield ast.Call(node.func, node.args, rest)
            if keyword.arg in _SWAPPED:
                swapped = ast.keyword(_SWAPPED[keyword.arg], keyword.value)
                yield ast.Call(node.func, node.args, [*rest, swapped])
