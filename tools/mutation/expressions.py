"""What is changed in expressions: operators, numbers, names, calls and their arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tools.mutation.changes import Change, replaced, text_of
from tools.mutation.scopes import Scope

# Functions that students take for one another. Each stands for all others of its row.
LOOKALIKES = (
    ("sum", "mean"),
    ("randn", "rand", "zeros"),
    ("randn_like", "rand_like", "zeros_like", "ones_like"),
    ("relu", "sigmoid", "tanh", "leaky_relu"),
    ("ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Identity"),
    ("exp", "log", "sqrt", "square"),
    ("sin", "cos"),
    ("cumprod", "cumsum"),
    ("cat", "stack"),
    ("eval", "train"),
    ("no_grad", "enable_grad"),
    ("binary_cross_entropy", "mse_loss", "l1_loss", "binary_cross_entropy_with_logits"),
    ("linspace", "logspace"),
    ("exponential", "normal", "uniform"),
    ("BatchNorm2d", "InstanceNorm2d", "Identity"),
    ("clip", "relu"),
    ("ravel", "squeeze"),
    ("std", "var"),
    ("min", "max"),
    ("argmin", "argmax"),
)
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
WORDS = {"sum": "mean", "mean": "sum", "ij": "xy", "xy": "ij"}


def expression_changes(node: ast.expr, scope: Scope) -> Iterator[Change]:
    """The changes of one expression; its parts have their own."""
    if isinstance(scope.parent, ast.AnnAssign | ast.arg) and getattr(scope.parent, "annotation", None) is node:
        return  # a type hint does nothing
    for kind, rule in RULES.items():
        if isinstance(node, kind):
            for new in rule(node, scope):
                yield replaced(node, new if _stands_alone(node, scope.parent) else _bracketed(new))


def _stands_alone(node: ast.expr, parent: ast.AST | None) -> bool:
    """Whether the expression is all that stands between commas, brackets or the ends of a statement."""
    if isinstance(parent, ast.Call):
        return node is not parent.func
    return isinstance(parent, ast.stmt | ast.keyword) or (isinstance(parent, ast.Subscript) and parent.slice is node)


def _bracketed(new: str) -> str:
    return text_of(ast.parse(new, mode="eval").body)


def _operators(node: ast.BinOp, scope: Scope) -> Iterator[str]:
    left, right = text_of(node.left), text_of(node.right)
    for other in OPERATORS.get(type(node.op), ()):
        yield ast.unparse(ast.BinOp(node.left, other(), node.right))
    yield from (left, right)
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
        yield ast.unparse(ast.BinOp(node.right, node.op, node.left))


def _signs(node: ast.UnaryOp, scope: Scope) -> Iterator[str]:
    yield text_of(node.operand)


def _comparisons(node: ast.Compare, scope: Scope) -> Iterator[str]:
    for other in COMPARISONS.get(type(node.ops[0]), ()):
        yield ast.unparse(ast.Compare(node.left, [other(), *node.ops[1:]], node.comparators))


def _logic(node: ast.BoolOp, scope: Scope) -> Iterator[str]:
    yield ast.unparse(ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values))
    yield from (text_of(value) for value in node.values)


def _choices(node: ast.IfExp, scope: Scope) -> Iterator[str]:
    yield from (text_of(node.body), text_of(node.orelse))


def _constants(node: ast.Constant, scope: Scope) -> Iterator[str]:
    value = node.value
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield from (str(value + 1), str(value - 1), str(-value), "0", "1")
    elif isinstance(value, float):
        yield from (str(2 * value), str(value / 2), str(-value), "0.0", "1.0", str(value + 1))
    elif isinstance(value, str) and value in WORDS:
        yield repr(WORDS[value])
    elif value is None:
        yield "0"


def _names(node: ast.Name, scope: Scope) -> Iterator[str]:
    """Other names of the function: alpha for alpha_bar, mu for logvar."""
    if isinstance(node.ctx, ast.Load) and node.id in scope.names and not _is_function(node, scope):
        yield from (name for name, line in scope.names.items() if name != node.id and line < node.lineno)
        if isinstance(scope.parent, ast.BinOp | ast.Call | ast.Return | ast.Tuple):
            yield f"-{node.id}"


def _is_function(node: ast.expr, scope: Scope) -> bool:
    return isinstance(scope.parent, ast.Call) and scope.parent.func is node


def _attributes(node: ast.Attribute, scope: Scope) -> Iterator[str]:
    owner = text_of(node.value)
    if owner == "self" and isinstance(node.ctx, ast.Load):
        yield from (f"self.{name}" for name in scope.attributes if name != node.attr)
        return
    for row in LOOKALIKES:
        if node.attr in row:
            yield from (f"{owner}.{other}" for other in row if other != node.attr)


def _subscripts(node: ast.Subscript, scope: Scope) -> Iterator[str]:
    if not isinstance(node.ctx, ast.Load):
        return
    owner = text_of(node.value)
    yield owner
    if isinstance(node.slice, ast.Name):
        yield from (f"{owner}[{node.slice.id} - 1]", f"{owner}[{node.slice.id} + 1]", f"{owner}[0]")
    if isinstance(node.slice, ast.Slice):
        yield from (f"{owner}[1:]", f"{owner}[:-1]", f"{owner}[:1]", f"{owner}[-1:]")


def _sequences(node: ast.Tuple | ast.List, scope: Scope) -> Iterator[str]:
    """Two neighbours swapped, one left out, one in the place of another."""
    if not isinstance(node.ctx, ast.Load) or len(node.elts) < 2:
        return
    for i in range(len(node.elts)):
        rest = [one for j, one in enumerate(node.elts) if j != i]
        yield _sequence(node, rest)
        yield _sequence(node, [rest[0] if j == i else one for j, one in enumerate(node.elts)])
        if i:
            yield _sequence(node, [*node.elts[: i - 1], node.elts[i], node.elts[i - 1], *node.elts[i + 1 :]])


def _sequence(node: ast.Tuple | ast.List, items: list[ast.expr]) -> str:
    return ast.unparse(ast.Tuple(items, ast.Load()) if isinstance(node, ast.Tuple) else ast.List(items, ast.Load()))


def _calls(node: ast.Call, scope: Scope) -> Iterator[str]:
    yield from _without_call(node, scope)
    for arguments in _shorter_and_swapped(node.args):
        yield ast.unparse(ast.Call(node.func, arguments, node.keywords))
    yield from _keywords(node)
    if isinstance(node.func, ast.Name) and node.func.id == "range" and len(node.args) == 1:
        yield from _ranges(text_of(node.args[0]))
    if isinstance(node.func, ast.Name):
        others = (other for row in LOOKALIKES if node.func.id in row for other in row if other != node.func.id)
        yield from (ast.unparse(ast.Call(ast.Name(other), node.args, node.keywords)) for other in others)


def _shorter_and_swapped(arguments: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """One argument left out, where there are several, or exchanged with the one before it."""
    for i, argument in enumerate(arguments):
        if len(arguments) > 1:
            yield arguments[:i] + arguments[i + 1 :]
        if i:
            yield [*arguments[: i - 1], argument, arguments[i - 1], *arguments[i + 1 :]]


def _keywords(node: ast.Call) -> Iterator[str]:
    """One keyword left out, or its value exchanged with the next one's."""
    words = node.keywords
    for i, word in enumerate(words):
        yield ast.unparse(ast.Call(node.func, node.args, words[:i] + words[i + 1 :]))
        if i + 1 < len(words):
            after = words[i + 1]
            pair = [ast.keyword(word.arg, after.value), ast.keyword(after.arg, word.value)]
            yield ast.unparse(ast.Call(node.func, node.args, [*words[:i], *pair, *words[i + 2 :]]))


def _without_call(node: ast.Call, scope: Scope) -> Iterator[str]:
    """`x.detach()` becomes `x`, `torch.sqrt(x)` becomes `x`."""
    if isinstance(node.func, ast.Attribute):
        root = node.func.value
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not (isinstance(root, ast.Name) and root.id in {*scope.modules, "self"}):
            yield text_of(node.func.value)
    if node.args and not isinstance(node.args[0], ast.Constant | ast.Starred):
        yield text_of(node.args[0])


def _ranges(stop: str) -> Iterator[str]:
    yield from (f"range({stop} - 1)", f"range({stop} + 1)", f"range(1, {stop})", f"range(1, {stop} + 1)")


def _loops(node: ast.ListComp, scope: Scope) -> Iterator[str]:
    whole = ast.unparse(node)
    yield from (f"{whole}[:-1]", f"{whole}[::-1]")


RULES: dict[type[ast.expr], Callable[..., Iterator[str]]] = {
    ast.BinOp: _operators,
    ast.UnaryOp: _signs,
    ast.Compare: _comparisons,
    ast.BoolOp: _logic,
    ast.IfExp: _choices,
    ast.Constant: _constants,
    ast.Name: _names,
    ast.Attribute: _attributes,
    ast.Subscript: _subscripts,
    ast.Tuple: _sequences,
    ast.List: _sequences,
    ast.Call: _calls,
    ast.ListComp: _loops,
}
