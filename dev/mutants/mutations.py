"""Small changes of a module's source, one at a time, as `make mutants` makes them.

A mutant replaces one node of the syntax tree and leaves the rest of the source as it is. Annotations, decorators,
docstrings, the texts of log lines and errors, and descriptions of fields are not changed, because such changes are
either equivalent or a matter of wording.
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

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
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
_WORDING = {"description", "title", "examples", "summary"}
_LOG_LEVELS = {"debug", "info", "warning", "error", "exception"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `text` in place of some bytes.

    `start` and `end` are the first and last line of its statement; `toplevel` means outside any function.
    """

    kind: str
    line: int
    start: int
    end: int
    toplevel: bool
    replaced: slice
    text: str

    def apply(self, original: str) -> str:
        """Return the module's source with the change."""
        raw = original.encode()
        return (raw[: self.replaced.start] + self.text.encode() + raw[self.replaced.stop :]).decode()

    def diff(self, original: str) -> str:
        """Return the changed lines of the module, marked with - and +."""
        lines = difflib.unified_diff(original.splitlines(), self.apply(original).splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"})


def mutants_of(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its statements."""
    return list(_Walk(source).module())


class _Walk:
    """Walks through one module's syntax tree, statement by statement."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._starts = [0]
        for line in source.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def module(self) -> Iterator[Mutant]:
        yield from self._body(ast.parse(self._source).body, toplevel=True)

    def _body(self, statements: list[ast.stmt], *, toplevel: bool) -> Iterator[Mutant]:
        for statement in statements:
            inside = toplevel and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from self._statement(statement, toplevel=toplevel)
            for name in ("body", "orelse", "finalbody"):
                yield from self._body(getattr(statement, name, []), toplevel=inside)
            for handler in getattr(statement, "handlers", []):
                yield from self._body(handler.body, toplevel=inside)
            for case in getattr(statement, "cases", []):
                yield from self._body(case.body, toplevel=inside)

    def _statement(self, statement: ast.stmt, *, toplevel: bool) -> Iterator[Mutant]:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_type_checking(statement):
            return
        nodes = [part for part in _parts(statement) if not isinstance(part, ast.stmt)]
        end = max([statement.lineno, *(getattr(part, "end_lineno", 0) for part in nodes)])
        changes = [*_statement_changes(statement), *(each for part in nodes for each in _expression_changes(part))]
        for kind, node, text in changes:
            yield Mutant(kind, node.lineno, statement.lineno, end, toplevel, self._bytes(node), text)

    def _bytes(self, node: ast.expr | ast.stmt) -> slice:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return slice(start, self._starts[node.end_lineno - 1] + node.end_col_offset)


type Change = tuple[str, ast.expr | ast.stmt, str]


def _parts(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield a statement's own expressions: no annotations, decorators, docstrings, nested statements or wording."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return
    skipped = {"annotation", "returns", "decorator_list", "type_params", "body", "orelse", "finalbody", "handlers"}
    todo: list[ast.AST] = [
        child
        for name, value in ast.iter_fields(statement)
        if name not in skipped
        for child in (value if isinstance(value, list) else [value])
        if isinstance(child, ast.AST)
    ]
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.stmt | ast.JoinedStr):
            continue
        if isinstance(node, ast.expr):
            yield node
        fields = [(name, value) for name, value in ast.iter_fields(node) if name not in {"annotation", "returns"}]
        children = [c for _, value in fields for c in (value if isinstance(value, list) else [value])]
        todo.extend(c for c in children if isinstance(c, ast.AST) and not _is_wording(node, c))


def _is_wording(parent: ast.AST, child: ast.AST) -> bool:
    """Return whether a child is a text for people: of a log line, an error, or the description of a field."""
    if isinstance(parent, ast.keyword):
        return parent.arg in _WORDING
    if isinstance(parent, ast.match_case):
        return isinstance(child, ast.stmt)
    if not (isinstance(parent, ast.Call) and isinstance(child, ast.Constant) and isinstance(child.value, str)):
        return False
    name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
    return name in _LOG_LEVELS or name[:1].isupper()


def _is_type_checking(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def _statement_changes(statement: ast.stmt) -> Iterator[Change]:
    match statement:
        case ast.Return(value=value) if value is not None and ast.unparse(value) != "None":
            yield "return", statement, "return None"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield "statement", statement, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement", statement, "pass"
        case _:
            pass


def _expression_changes(node: ast.expr) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op, *_]):
            changed = copy.deepcopy(node)
            changed.ops[0] = _COMPARISONS[type(op)]()
            yield "comparison", node, f"({ast.unparse(changed)})"
        case ast.BoolOp():
            other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield "boolean", node, f"({ast.unparse(ast.BoolOp(other, node.values))})"
        case ast.UnaryOp(op=ast.Not()):
            yield "boolean", node, f"({ast.unparse(node.operand)})"
        case ast.IfExp():
            yield "boolean", node, f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})"
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            yield "arithmetic", node, f"({ast.unparse(ast.BinOp(node.left, _ARITHMETIC[type(op)](), node.right))})"
        case ast.Constant():
            yield from _constant_changes(node)
        case ast.Call():
            yield from _call_changes(node)
        case _:
            pass


def _constant_changes(node: ast.Constant) -> Iterator[Change]:
    match node.value:
        case bool():
            yield "constant", node, str(not node.value)
        case int() | float():
            yield "constant", node, str(node.value + 1)
        case str() | bytes() if node.value:
            yield "constant", node, repr(node.value[:-1])
        case _:
            pass


def _call_changes(node: ast.Call) -> Iterator[Change]:
    plain = not any(isinstance(each, ast.Starred) for each in node.args)
    if plain and len(node.args) > 1 and ast.dump(node.args[0]) != ast.dump(node.args[1]):
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "arguments", node, ast.unparse(ast.Call(node.func, swapped, node.keywords))
    for keyword in node.keywords:
        if keyword.arg not in {None, *_WORDING}:
            rest = [each for each in node.keywords if each is not keyword]
            yield "keyword", node, ast.unparse(ast.Call(node.func, node.args, rest))
