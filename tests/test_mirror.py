"""The mirror rule: the three panels have the same files, classes, functions, arguments, defaults and docstrings.

The panels are read, not imported. `forward`, Keras's `call` and the reference's `__call__` stand for each other, and
a docstring may name its own framework. The reference may lack what only training needs. Whatever else differs must
stand in `EXCEPTIONS` with a reason, and an exception that no longer applies is an error.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "diptych"
SAME_METHOD = {"call": "forward", "__call__": "forward"}
FRAMEWORK_NAMES = ("TensorFlow", "PyTorch", "NumPy", "Keras")


@dataclass(frozen=True)
class Difference:
    """One place where two panels part: which file, which name in it ("" for the file itself), and in what."""

    panels: str
    file: str
    name: str
    aspect: str


TWINS = "tensorflow | pytorch"
JUDGE = "reference | pytorch"
EXCEPTIONS: dict[Difference, str] = {
    Difference(TWINS, "__init__.py", "", "docstring"): "Keras has a name of its own there",
    Difference(TWINS, "layer.py", "", "missing in pytorch"): "PyTorch's layers need not be told that they are built",
    **{
        Difference(TWINS, "loops.py", name, "missing in pytorch"): "what a graph's loop reads and writes, it carries"
        for name in ("_to_list", "_empty_list", "_pop_all", "_push", "_stack", "_shape")
    },
    **{
        Difference(TWINS, "loop_products.py", name, "missing in tensorflow"): "a gradient of one's own is a class there"
        for name in ("_Collect", "_Collect.forward", "_Collect.backward")
    },
    **{
        Difference(TWINS, "product_timer.py", f"ProductTimer.{name}", f"missing in {panel}"): "how each repeats it"
        for name, panel in {"_repeat": "pytorch", "_kernels": "tensorflow", "_time": "tensorflow"}.items()
    },
    Difference(TWINS, "weights.py", "Binding", "docstring"): "what one variable holds differs: that is what it says",
    Difference(
        TWINS, "weights.py", "Binding._to_keras", "missing in pytorch"
    ): "PyTorch's orientation is the neutral one",
    Difference(TWINS, "weights.py", "Binding._from_keras", "missing in pytorch"): "the same, on the way back",
    Difference(TWINS, "weights.py", "reorder_gates", "missing in pytorch"): "PyTorch's gate order is the neutral one",
    Difference(TWINS, "stepper.py", "Stepper._encode", "missing in pytorch"): "tensors only, for tf.function",
    Difference(TWINS, "stepper.py", "Stepper._advance", "missing in pytorch"): "tensors only, for tf.function",
    Difference(TWINS, "training.py", "TrainingStep._graph", "missing in pytorch"): "what tf.function compiles",
    **{
        Difference(TWINS, file, "", "missing in tensorflow"): "there is one kernel for its products, oneDNN's"
        for file in ("kernels.py", "linear.py")
    },
    **{
        Difference(TWINS, "private.py", name, f"missing in {panel}"): "each keeps other things to itself"
        for panel, names in {
            "pytorch": ("connect", "check_peer", "_task", "_context"),
            "tensorflow": (
                *("has_onednn", "onednn_linear", "onednn_linear_add", "_operator"),
                *("add_each", "scale_each", "adam_each"),
            ),
        }.items()
        for name in names
    },
    Difference(TWINS, "private.py", "", "docstring"): "the same",
    **{
        Difference(TWINS, "shard_sum.py", f"ShardSum.{name}", "missing in pytorch"): "what tf.function compiles"
        for name in ("_scaled", "_in_rows", "_apart")
    },
    Difference(TWINS, "shard_sum.py", "ShardSum._rows", "missing in tensorflow"): "no weight lies by columns there",
    Difference(TWINS, "exchange.py", "Exchange", "docstring"): "each says what connects them",
    Difference(TWINS, "exchange.py", "Exchange.__init__", "docstring"): "and whose addresses it needs",
    **{
        Difference(TWINS, "loop_products.py", name, "arguments"): "nor has it a kernel to be told"
        for name in ("LoopProduct.__init__", "StepProduct.__init__", "_collect")
    },
    **{
        Difference(TWINS, "loss.py", name, "missing in tensorflow"): "its own loss is as fast"
        for name in ("_CrossEntropy", "_CrossEntropy.forward", "_CrossEntropy.backward")
    },
    Difference(TWINS, "training.py", "_like", "missing in tensorflow"): "its tensors have one layout in memory",
    Difference(TWINS, "process.py", "denormals_flushed", "missing in tensorflow"): "it always flushes them",
    Difference(JUDGE, "__init__.py", "", "docstring"): "says what the reference is for",
    Difference(JUDGE, "optimizer.py", "", "missing in reference"): "the reference does not train",
    Difference(JUDGE, "training.py", "", "missing in reference"): "the reference does not train",
    Difference(JUDGE, "grid.py", "", "missing in reference"): "nor round what it has trained",
    Difference(JUDGE, "shard_sum.py", "", "missing in reference"): "nor add up what several have computed",
    Difference(JUDGE, "exchange.py", "", "missing in reference"): "nor meet others",
    Difference(JUDGE, "weights.py", "Binding.locate", "missing in reference"): "nor tell where it did",
    Difference(JUDGE, "product_timer.py", "", "missing in reference"): "nor is it measured",
    **{
        Difference(JUDGE, file, "", "missing in reference"): "nor has it kernels to choose among"
        for file in ("kernels.py", "linear.py", "private.py")
    },
    **{
        Difference(JUDGE, file, f"{name}.__init__", "arguments"): "its arithmetic is always NumPy's, in float64"
        for file, names in {
            "attention.py": ("Dense", "Attention"),
            "decoder.py": ("Decoder",),
            "encoder.py": ("Encoder", "Bridge"),
            "model.py": ("Embedding", "Output"),
            "recurrent.py": ("RecurrentLayer",),
        }.items()
        for name in names
    },
    Difference(JUDGE, "encoder.py", "Bridge._dense", "arguments"): "the same",
    **{
        Difference(JUDGE, "loss.py", name, "missing in reference"): "nor has it gradients"
        for name in ("_CrossEntropy", "_CrossEntropy.forward", "_CrossEntropy.backward")
    },
    **{
        Difference(JUDGE, "process.py", name, "missing in reference"): "it is not made to be fast"
        for name in ("denormals_flushed", "settle")
    },
    Difference(JUDGE, "recurrent.py", "sigmoid", "missing in pytorch"): "NumPy has none",
    Difference(JUDGE, "recurrent.py", "RecurrentLayer.step", "missing in pytorch"): "a loop multiplies first",
    **{
        Difference(JUDGE, "decoder.py", f"Decoder.{name}", aspect): "it is not told what a loop multiplied before"
        for name, aspect in (("step", "arguments"), ("step", "docstring"), ("_attend_once", "arguments"))
    },
    **{
        Difference(JUDGE, file, "", "missing in reference"): "without gradients a plain loop does"
        for file in ("cells.py", "loops.py", "loop_products.py")
    },
    **{
        Difference(JUDGE, file, name, "missing in reference"): "without gradients a step makes its own products"
        for file, names in {
            "attention.py": ["Dense.at_each_step"],
            "recurrent.py": ["RecurrentLayer.from_input", "RecurrentLayer.rest", "RecurrentLayer.hidden"],
            "decoder.py": [
                *("LayerProducts", "LayerProducts.inputs", "LayerProducts.hidden", "Decoder._products"),
                *("Products", "Products.layers", "Products.query", "Products.attentional"),
            ],
        }.items()
        for name in names
    },
}


@dataclass(frozen=True)
class Entry:
    """A class, function, method or field: what both panels must have alike."""

    kind: str
    arguments: tuple[str, ...]
    docstring: str


def outline(source: str) -> dict[str, Entry]:
    """Every entry of a file by its qualified name, in order; "" is the file itself."""
    tree = ast.parse(source)
    entries = {"": Entry("file", (), docstring(tree))}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                entries[prefix + node.name] = Entry("class", (), docstring(node))
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = SAME_METHOD.get(node.name, node.name) if prefix else node.name
                entries[prefix + name] = Entry(kind(node), arguments(node.args), docstring(node))
            elif prefix and isinstance(node, ast.AnnAssign):
                default = () if node.value is None else (ast.unparse(node.value),)
                entries[prefix + ast.unparse(node.target)] = Entry("field", default, "")

    visit(tree.body, "")
    return entries


def docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """A node's docstring with the frameworks' names left open."""
    text = ast.get_docstring(node) or ""
    for name in FRAMEWORK_NAMES:
        text = text.replace(name, "FRAMEWORK")
    return text


def kind(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Whether a function is a plain one or a property, a static method or a class method."""
    names = [ast.unparse(decorator) for decorator in node.decorator_list]
    return next((name for name in names if name in ("property", "staticmethod", "classmethod")), "function")


def arguments(node: ast.arguments) -> tuple[str, ...]:
    """Argument names in order, each with its default, and the signs that separate their kinds."""
    positional = [*node.posonlyargs, *node.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(node.defaults))
    shown = [argument(a, d) for a, d in zip(positional, [*defaults, *node.defaults], strict=True)]
    if node.posonlyargs:
        shown.insert(len(node.posonlyargs), "/")
    if node.vararg or node.kwonlyargs:
        shown.append(f"*{node.vararg.arg if node.vararg else ''}")
    shown += [argument(a, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
    return (*shown, f"**{node.kwarg.arg}") if node.kwarg else tuple(shown)


def argument(node: ast.arg, default: ast.expr | None) -> str:
    """An argument as `name` or `name=default`."""
    return node.arg if default is None else f"{node.arg}={ast.unparse(default)}"


def differences(package: Path, first: str, second: str) -> list[Difference]:
    """Every difference between two panels, file by file."""
    panels = f"{first} | {second}"
    files = {panel: {path.name: path for path in (package / panel).glob("*.py")} for panel in (first, second)}
    found = []
    for file in sorted(files[first].keys() | files[second].keys()):
        missing = [panel for panel in (first, second) if file not in files[panel]]
        if missing:
            found.append(Difference(panels, file, "", f"missing in {missing[0]}"))
            continue
        left, right = (outline(files[panel][file].read_text(encoding="utf-8")) for panel in (first, second))
        found += [Difference(panels, file, name, f"missing in {second}") for name in left if name not in right]
        found += [Difference(panels, file, name, f"missing in {first}") for name in right if name not in left]
        common = [name for name in left if name in right]
        for name in common:
            aspects = [
                a for a in ("kind", "arguments", "docstring") if getattr(left[name], a) != getattr(right[name], a)
            ]
            found += [Difference(panels, file, name, aspect) for aspect in aspects]
        order = [name for name in right if name in left]
        moved = next((name for name, other in zip(common, order, strict=True) if name != other), None)
        if moved is not None:
            found.append(Difference(panels, file, moved, "order"))
    return found


@pytest.fixture(scope="module")
def found() -> list[Difference]:
    return differences(PACKAGE, "tensorflow", "pytorch") + differences(PACKAGE, "reference", "pytorch")


def test_the_panels_mirror_each_other(found):
    unexplained = [difference for difference in found if difference not in EXCEPTIONS]
    assert not unexplained, "\n".join(map(str, unexplained))


def test_no_exception_is_stale(found):
    assert EXCEPTIONS.keys() <= set(found)
    assert all(reason.strip() for reason in EXCEPTIONS.values())


def test_every_public_entry_has_a_docstring():
    for panel in ("reference", "tensorflow", "pytorch"):
        for path in sorted((PACKAGE / panel).glob("*.py")):
            for name, entry in outline(path.read_text(encoding="utf-8")).items():
                private = name.rpartition(".")[2].startswith("_") and not name.endswith("__init__")
                assert private or entry.kind == "field" or entry.docstring, f"{panel}/{path.name}: {name}"
