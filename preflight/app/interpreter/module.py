"""Reads a module from top to bottom without running it: names, constants, Modal's objects.

An abstract interpreter over the syntax tree.  It follows what the text decides (constants, f-strings, helpers
of the same project, loops over literals) and gives ``Unresolved`` for the rest.  It is bounded: so many steps,
so deep, so many turns of a loop; past a bound the value is unresolved, and that is said.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import cast

from preflight.app.interpreter import folding, modal_objects, objects, paths, pure, statements
from preflight.app.interpreter.flow import Outcomes, Raised, Returned, Skipped, TooMuch, either, merged, over
from preflight.app.interpreter.folding import Comprehended
from preflight.app.interpreter.scope import Arguments, Scope
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    ClassValue,
    Dotted,
    Duration,
    ImageValue,
    Key,
    ObjectValue,
    Opaque,
    Partial,
    PathValue,
    SiblingModule,
    UserFunction,
    Value,
)
from preflight.app.model import Call, Unresolved
from preflight.model import Where

DEEPEST = 12  # helpers calling helpers


class Interpreter(Scope):
    """A scope whose expressions are followed."""

    def run_module(self) -> None:
        if self.source.tree is None:
            return
        try:
            statements.run(self, self.source.tree.body)
        except TooMuch:
            self.shared.is_cut = True
            why = f"the text after {self.shared.most_steps} steps of reading"
            self.shared.unresolved.append(Unresolved(why, Where(self.source.path)))
        except (Returned, Skipped, Raised):
            pass

    def inside(self, *, for_functions: Scope | None = None) -> Interpreter:
        """A scope within this one: of a helper's call, or of a class body."""
        inner = Interpreter.__new__(Interpreter)
        inner.__dict__.update(self.__dict__)
        inner.names, inner.journal, inner.returned = {}, None, Outcomes()
        inner.outer, inner.is_top, inner.elsewhere = self, False, {}
        inner.seen_by_defs = for_functions
        return inner

    def value(self, node: ast.expr) -> Value:
        """What the expression stands for.  Raises TooMuch."""
        self.tick()
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self.lookup(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(self.value(node.value), node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.IfExp):
            test = self.value(node.test)
            if statements.is_decided(test):
                return self.value(node.body if test else node.orelse)
            return either([self.value(node.body), self.value(node.orelse)], *statements.usual_branch(test))
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value)
            self.bind(node.target, value)
            return value
        if isinstance(node, ast.Lambda):
            return UserFunction(node, self.for_functions)
        if isinstance(node, ast.Await | ast.Starred):
            return self.value(node.value)
        return self.weighed(folding.fold(self, node), node)

    def _attribute(self, receiver: Value, node: ast.Attribute) -> Value:
        if isinstance(receiver, Dotted):
            dotted = receiver.attribute(node.attr)
            return self.modules.get(dotted.name, dotted)
        if isinstance(receiver, SiblingModule):
            found = receiver.interpreter.names.get(node.attr)
            return found if found is not None else Unresolved(f"{node.attr} is not set there", self.where(node))
        if isinstance(receiver, PathValue):
            return paths.attribute(receiver, node.attr, self.where(node))
        if isinstance(receiver, Alternatives):
            return self._of_some(receiver, node)
        if isinstance(receiver, Unresolved):
            return receiver
        if isinstance(receiver, ClassValue | ObjectValue):
            return objects.attribute(self, receiver, node)
        if isinstance(receiver, AppValue) and node.attr in receiver.names:
            return receiver.names[node.attr]
        if isinstance(receiver, Duration) and node.attr == "seconds":
            return int(receiver.seconds % 86_400)
        return BoundMethod(receiver, node.attr)

    def _of_some(self, receiver: Alternatives, node: ast.Attribute) -> Value:
        """Of the values that have attributes: ``modal = None`` in another branch has none."""
        some: list[Value] = [v for v in receiver.values if v is not None] or [*receiver.values]
        usual = next(
            (n for n, v in enumerate(some) if receiver.usual >= 0 and v is receiver.values[receiver.usual]), -1
        )
        return either([self._attribute(v, node) for v in some], usual, receiver.variable)

    def _call(self, node: ast.Call) -> Value:
        """A chain of calls from its base outwards: 500 links are a loop here, not 500 frames."""
        links = [node]
        inner: ast.expr = node.func
        while isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Call):
            links.append(inner.value)
            inner = inner.value.func
        called = self.value(inner)
        for link in reversed(links):
            self.tick()
            if link is not links[-1]:
                assert isinstance(link.func, ast.Attribute)
                called = self._attribute(called, link.func)
            if isinstance(called, Alternatives):
                called = self._called_of_some(called, link)
            else:
                called = self._called(called, link)
        return called

    def _called_of_some(self, called: Alternatives, node: ast.Call) -> Value:
        lists = [c for c in called.values if isinstance(c, BoundMethod) and pure.changes_in_place(c)]
        if lists and isinstance(node.func, ast.Attribute):
            args, keywords = self.arguments(node)
            where = self.where(node)
            changed = [pure.changed(c, args, keywords, where) if c in lists else c for c in called.values]
            self.replace(node.func.value, either(changed, called.usual, called.variable))
            return Unresolved("what a container gives back depends on a condition", where)
        return either([self._called(each, node) for each in called.values], called.usual, called.variable)

    def _called(self, called: Value, node: ast.Call) -> Value:
        if isinstance(called, UserFunction):
            args, keywords = self.arguments(node)
            return self.call_with(called, args, keywords, node)
        if isinstance(called, Dotted) and called.name.split(".")[0] == "modal":
            return modal_objects.construct(self, called.name, node)
        if isinstance(called, BoundMethod) and isinstance(called.value, ImageValue):
            return modal_objects.extend(self, called.value, called.name, node)
        if isinstance(called, BoundMethod) and isinstance(called.value, AppValue | Opaque):
            return modal_objects.method(self, called.value, called.name, node)
        if isinstance(called, BoundMethod) and called.name in ("read_only", "with_mount_options"):
            return modal_objects.mounted(self, called.value, called.name, node)
        if isinstance(called, Call):  # app.function(...)(fn): a decorator applied by hand
            return modal_objects.applied(self, called, node)
        if isinstance(called, Partial):
            self.shared.given[id(node)] = called
            return self._called(called.called, node)
        args, keywords = self.arguments(node)
        if isinstance(called, ClassValue):
            return objects.construct(self, called, args, keywords, node)
        if isinstance(called, Dotted):
            return self._of_library(called.name, args, keywords, node)
        where = self.where(node)
        changes = isinstance(called, BoundMethod) and pure.changes_in_place(called)
        if changes and isinstance(called, BoundMethod) and isinstance(node.func, ast.Attribute):
            self.replace(node.func.value, pure.changed(called, args, keywords, where))
            return pure.given_back(called, args, where)
        return self.weighed(over(lambda *a: pure.call(called, list(a), keywords, where), *args), node)

    def _of_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A call of what is imported, or built in."""
        if name in ("sys.path.insert", "sys.path.append") and args:
            if isinstance(folder := args[-1], str | PathValue):
                self.shared.search.append(self.file.parent / str(folder))
            return None
        if name == "functools.partial" and args and "**" not in keywords:
            return Partial(args[0], tuple(args[1:]), keywords)
        if name == "builtins.getattr" and len(args) >= 2 and isinstance(args[1], str):
            return self._attribute(args[0], ast.copy_location(ast.Attribute(node.args[0], args[1], ast.Load()), node))
        made = objects.library_made(self, name, args, keywords, node)
        if made is not None:
            return made
        where = self.where(node)
        return self.weighed(over(lambda *a: pure.call(Dotted(name), list(a), keywords, where), *args), node)

    def arguments(self, node: ast.Call) -> Arguments:
        """Folded arguments; ``*`` and ``**`` of known values are spread, of others stand as Unresolved."""
        bound = self.shared.given.pop(id(node), None) if self.shared.given else None
        args = [*(bound.args if bound is not None else ()), *folding.spread(self, node.args)]
        keywords: dict[str, Value] = dict(bound.keywords) if bound is not None else {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(spread := merged(value), dict):
                keywords.update({k: v for k, v in spread.items() if isinstance(k, str)})
            else:
                keywords["**"] = Unresolved("a ** of a value that is not in the text", self.where(keyword))
        self._remember(node, args, keywords)
        return args, keywords

    def _remember(self, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> None:
        """For the list of calls: what differs from turn to turn, or from call to call of a helper, is unresolved."""
        known = self.shared.evaluated.get(id(node))
        if known is None:
            self.shared.evaluated[id(node)] = (list(args), dict(keywords))
            return
        varies = Unresolved("it differs from turn to turn", self.where(node))
        if len(known[0]) != len(args):
            known[0][:] = [varies]
        else:
            known[0][:] = [k if k is a or k == a else varies for k, a in zip(known[0], args, strict=True)]
        for name in {*known[1], *keywords}:
            if name not in known[1] or name not in keywords or known[1][name] != keywords[name]:
                known[1][name] = varies

    def call_with(self, function: UserFunction, args: list[Value], keywords: dict[str, Value], at: ast.AST) -> Value:
        """The value a helper of the project returns for these arguments, read with its own defaults."""
        if self.depth >= DEEPEST:
            return Unresolved("helpers call helpers deeper than this reader goes", self.where(at))
        scope = cast(Interpreter, function.scope)
        inner = scope.inside()
        inner.depth, inner.is_repeating = self.depth + 1, self.is_repeating
        decorators = getattr(function.node, "decorator_list", ())
        is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)
        if function.receiver is not None and not is_static:
            args = [function.receiver, *args]
        _bind_parameters(inner, function.node.args, args, keywords, self.where(at))
        self.shared.inlined.add(id(function.node))
        if isinstance(function.node, ast.Lambda):
            return inner.value(function.node.body)
        try:
            statements.run(inner, function.node.body)
        except Returned as e:
            return inner.returned.either(e.value)
        except Raised:
            values = inner.returned.values
            return either(values) if values else Unresolved("the helper raises", self.where(at))
        return inner.returned.either(None)

    def comprehended(self, generators: list[ast.comprehension], make: Callable[[], Value]) -> Comprehended:
        """The values of a comprehension over known sequences; None when one is not known."""
        sure: list[Value] = []
        possible: list[Value] = []
        inner = self.inside(for_functions=self.for_functions)

        def turn(rest: list[ast.comprehension], *, is_sure: bool) -> bool:
            if not rest:
                self.names, kept = {**self.names, **inner.names}, self.names
                try:
                    possible.append(make())
                finally:
                    self.names = kept
                if is_sure:
                    sure.append(possible[-1])
                return len(possible) <= statements.MOST_TURNS**2
            turns = statements.turns_of(inner.value(rest[0].iter))
            if turns is None:
                return False
            for each in turns:
                inner.bind(rest[0].target, each)
                tests = [inner.value(t) for t in rest[0].ifs]
                decided = [t for t in tests if statements.is_decided(t)]
                is_sure_now = is_sure and len(decided) == len(tests)
                if all(decided) and not turn(rest[1:], is_sure=is_sure_now):
                    return False
            return True

        return (sure, possible) if turn(generators, is_sure=True) else None


def _bind_parameters(
    scope: Interpreter, spec: ast.arguments, args: list[Value], keywords: dict[str, Value], at: Where
) -> None:
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    left = dict[Key, Value]() | keywords
    rows: list[tuple[ast.arg, ast.expr | None]] = list(zip(positional, defaults, strict=True))
    for n, (parameter, default) in enumerate(rows + list(zip(spec.kwonlyargs, spec.kw_defaults, strict=True))):
        if n < len(args) and n < len(positional):
            scope.names[parameter.arg] = args[n]
        elif parameter.arg in left:
            scope.names[parameter.arg] = left.pop(parameter.arg)
        elif "**" in left:
            scope.names[parameter.arg] = left["**"]
        elif default is not None and scope.outer is not None:
            scope.names[parameter.arg] = scope.outer.value(default)
        else:
            scope.names[parameter.arg] = Unresolved(f"{parameter.arg} is a parameter", at)
    if spec.vararg is not None:
        scope.names[spec.vararg.arg] = list(args[len(positional) :])
    if spec.kwarg is not None:
        scope.names[spec.kwarg.arg] = left
