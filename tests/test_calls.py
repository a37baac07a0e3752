"""A call of our own with more than three arguments names them from the third on: nobody counts commas to read it."""

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


@cache
def trees():
    """Every file of ours, parsed."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def path_of(module):
    """The file of a module of ours, or None."""
    path = SOURCE.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file in trees()), None)


def takes_any_number(node):
    """Whether a function, or what makes an object of a class, takes `*arguments`."""
    functions = [node] if isinstance(node, ast.FunctionDef) else []
    functions += [each for each in getattr(node, "body", ()) if getattr(each, "name", "") == "__init__"]
    return any(function.args.vararg for function in functions)


def ours(tree):
    """The functions and classes that a file calls by name, from itself or from another file of ours, by that name."""
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (path := path_of(node.module or "")):
            there = {each.name: each for each in trees()[path].body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
            found |= {name.asname or name.name: there[name.name] for name in node.names if name.name in there}
    return found


def offending(tree):
    """Lines of a file with such a call whose arguments have no names."""
    known = ours(tree)
    methods = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or len(call.args) <= 3:
            continue
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            continue
        match call.func:
            case ast.Name(name):
                called = known.get(name)
            case ast.Attribute(ast.Name("self"), name):
                called = methods.get(name)
            case _:
                called = None
        if called is not None and not takes_any_number(called):
            yield call.lineno


def test_calls_with_more_than_three_arguments_name_them():
    found = [f"{path.relative_to(SOURCE)}:{line}" for path, tree in trees().items() for line in offending(tree)]
    assert not found


def test_a_call_without_names_is_seen():
    lines = "def f(a, b, c, d): ...", "def g(*all): ...", "f(1, 2, c=3, d=4)", "g(1, 2, 3, 4)", "f(1, 2, 3, 4)"
    assert list(offending(ast.parse("\n".join(lines)))) == [5]
