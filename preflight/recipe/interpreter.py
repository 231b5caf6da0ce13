"""Reads a module from top to bottom without running it: names, constants, Modal's objects.

An abstract interpreter over the syntax tree.  It follows what the text decides (constants, f-strings, helpers
of the same project, loops over literals) and gives ``Unresolved`` for the rest.  It is bounded: so many steps,
so deep, so many turns of a loop; past a bound the value is unresolved, and that is said.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from preflight.model import Where
from preflight.recipe import containers, folding, modal_objects, objects, paths, pure, statements
from preflight.recipe.flow import (
    MISSING,
    MOST_WEIGHT,
    Outcomes,
    Raised,
    Returned,
    Skipped,
    TooMuch,
    either,
    known_part,
    merged,
    over,
    values_of,
    weight,
)
from preflight.recipe.folding import Comprehended
from preflight.recipe.model import App, Call, Source, Unresolved
from preflight.recipe.offsets import Offsets
from preflight.recipe.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    ClassValue,
    Decorated,
    Dotted,
    Duration,
    ImageValue,
    ObjectValue,
    Opaque,
    Partial,
    PathValue,
    SiblingModule,
    UserFunction,
    Value,
    unresolved_in,
)

MOST_STEPS = 300_000  # nodes evaluated for one file with its siblings; 10,000 lines of nothing but images take 200,000
DEEPEST = 12  # helpers calling helpers
Arguments = tuple[list[Value], dict[str, Value]]


@dataclass
class Shared:
    """What one reading of an app shares between its modules."""

    project: Path
    load: Callable[[Interpreter, str, int], Interpreter | None]
    most_steps: int = MOST_STEPS
    steps: int = 0
    images: list[tuple[str, ImageValue]] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    decorated: list[Decorated] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    pending: dict[int, tuple[Call, AppValue]] = field(default_factory=dict)  # by id of the decorator's call
    included: list[AppValue] = field(default_factory=list)  # by app.include(other)
    evaluated: dict[int, Arguments] = field(default_factory=dict)  # by id of the call's node
    inlined: set[int] = field(default_factory=set)  # ids of the helpers' nodes that were read with a call's arguments
    given: dict[int, Partial] = field(default_factory=dict)  # by id of the call's node: arguments bound before
    search: list[Path] = field(default_factory=list)  # folders that the text puts on sys.path

    def name_app(self, value: AppValue) -> None:
        """The App learns the variable that it is bound to."""
        for n, app in enumerate(self.apps):
            if app.call is value.call:
                self.apps[n] = replace(app, variable=value.variable)


class Interpreter:
    """One module's names.  ``file`` is where its text was read from, for relative paths; nothing is opened here."""

    def __init__(self, source: Source, file: Path, shared: Shared) -> None:
        self.source = source
        self.file = file
        self.shared = shared
        self.offsets = Offsets.of(source)
        self.names: dict[str, Value] = {"__file__": PathValue(PurePosixPath(file.name))}
        self.modules: dict[str, SiblingModule] = {}  # by dotted name, of `import package.module`
        self.journal: dict[str, Value] | None = None  # of the branch being read: names it bound, with their old values
        self.returned = Outcomes()  # by branches, while others go on
        self.outer: Interpreter | None = None
        self.for_functions: Interpreter = self  # whose names a def sees: not those of the class around it
        self.elsewhere: dict[str, Interpreter] = {}  # names of `global` and `nonlocal`: the scope they belong to
        self.is_repeating = False
        self.is_branching = False
        self.is_top = True
        self.depth = 0

    def run_module(self) -> None:
        if self.source.tree is None:
            return
        try:
            statements.run(self, self.source.tree.body)
        except TooMuch:
            why = f"the text after {self.shared.most_steps} steps of reading"
            self.shared.unresolved.append(Unresolved(why, Where(self.source.path)))
        except (Returned, Skipped, Raised):
            pass

    def inside(self, *, for_functions: Interpreter | None = None) -> Interpreter:
        """A scope within this one: of a helper's call, or of a class body."""
        inner = Interpreter.__new__(Interpreter)
        inner.__dict__.update(self.__dict__)
        inner.names, inner.journal, inner.returned = {}, None, Outcomes()
        inner.outer, inner.is_top, inner.elsewhere = self, False, {}
        inner.for_functions = for_functions or inner
        return inner

    # --- names ----------------------------------------------------------------------------------------------------

    def set(self, name: str, value: Value) -> None:
        holder = self.elsewhere.get(name, self)
        if holder is not self:  # of a branch here nothing is taken back there: the old value stays possible
            is_doubtful = self.is_branching and name in holder.names
            holder.set(name, either([holder.names[name], value]) if is_doubtful else value)
            return
        if self.journal is not None and name not in self.journal:
            self.journal[name] = self.names.get(name, MISSING)
        self.names[name] = value

    def restore(self, name: str, old: Value) -> None:
        """Back to what the name was before a branch."""
        if old is MISSING:
            self.names.pop(name, None)
        else:
            self.names[name] = old

    def bind(self, target: ast.expr, value: Value) -> None:
        """What ``target = value`` does.  Containers are replaced, never changed: branches must not leak."""
        if isinstance(target, ast.Name):
            self.set(target.id, self._named(target.id, value))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, target)
        elif isinstance(target, ast.Subscript):
            holder, key, where = self.value(target.value), self.value(target.slice), self.where(target)
            if any(isinstance(h, dict | list) for h in values_of(holder)):
                self._replace(target.value, over(lambda h: containers.with_item(h, key, value, where), holder))
        elif isinstance(target, ast.Attribute):
            held = self.value(target.value)
            if isinstance(held, ObjectValue | ClassValue):
                objects.set_attribute(self, held, target.attr, self._named(target.attr, value))
            elif isinstance(held, SiblingModule):
                held.interpreter.set(target.attr, value)
            elif isinstance(held, AppValue):
                modal_objects.set_on_app(held, target.attr, self._named(ast.unparse(target), value))
            else:
                self._named(ast.unparse(target), value)

    def _unpack(self, targets: list[ast.expr], value: Value, at: ast.expr) -> None:
        star = next((n for n, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
        if isinstance(value, list | tuple):
            after = len(targets) - star - 1 if star is not None else 0
            if star is None and len(value) == len(targets):
                parts = list(value)
            elif star is not None and len(value) >= len(targets) - 1:
                parts = [*value[:star], list(value[star : len(value) - after]), *value[len(value) - after :]]
            else:
                parts = []
            if parts:
                for each, part in zip(targets, parts, strict=True):
                    self.bind(each, part)
                return
        why = unresolved_in(value) or Unresolved("it is unpacked from a value that is not in the text", self.where(at))
        for each in targets:
            self.bind(each, why)

    def _named(self, variable: str, value: Value) -> Value:
        """The value as it is bound: images are noted under the name, an App learns it."""
        for each in values_of(value):
            if isinstance(each, ImageValue):
                self.note_image(variable, each)
        if isinstance(value, AppValue) and not value.variable:
            value = replace(value, variable=variable)
            self.shared.name_app(value)
        return value

    def note_image(self, variable: str, value: ImageValue) -> None:
        self.shared.images.append((variable, value))

    def _replace(self, holder: ast.expr, value: Value) -> None:
        """Gives what holds a container the container's next state: every name of it, in whatever scope it is seen."""
        value = self._weighed(value, holder)
        if not isinstance(holder, ast.Name):
            self.bind(holder, value)
            return
        old = self.lookup(holder)
        scope: Interpreter | None = self
        while scope is not None:
            self.tick(len(scope.names) >> 6)
            is_doubtful = self.is_branching and scope is not self
            for name in [n for n, held in scope.names.items() if held is old]:
                scope.set(name, either([old, value]) if is_doubtful else value)
            scope = scope.outer

    def lookup(self, node: ast.Name) -> Value:
        scope: Interpreter | None = self
        while scope is not None:
            scope = scope.elsewhere.get(node.id, scope)
            if node.id in scope.names:
                return scope.names[node.id]
            scope = scope.outer
        return pure.BUILTINS.get(node.id) or Unresolved(f"{node.id} is not set in the text above", self.where(node))

    # --- expressions ----------------------------------------------------------------------------------------------

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
        return self._weighed(folding.fold(node, self.value, lambda: self.where(node), self._comprehended), node)

    def _weighed(self, value: Value, node: ast.AST) -> Value:
        """The value, unless it is larger than anybody would write: lists of lists double in a few lines."""
        if not isinstance(value, list | tuple | dict) or isinstance(node, ast.Subscript):
            return value
        heavy = weight(value)
        self.tick(heavy >> 4)
        return Unresolved("a value too large to be written out", self.where(node)) if heavy > MOST_WEIGHT else value

    def _attribute(self, held: Value, node: ast.Attribute) -> Value:
        if isinstance(held, Dotted):
            dotted = held.attribute(node.attr)
            return self.modules.get(dotted.name, dotted)
        if isinstance(held, SiblingModule):
            found = held.interpreter.names.get(node.attr)
            return found if found is not None else Unresolved(f"{node.attr} is not set there", self.where(node))
        if isinstance(held, PathValue):
            return paths.attribute(held, node.attr, self.where(node))
        if isinstance(held, Alternatives):
            return self._of_some(held, node)
        if isinstance(held, Unresolved):
            return held
        if isinstance(held, ClassValue | ObjectValue):
            return objects.attribute(self, held, node)
        if isinstance(held, AppValue) and node.attr in held.names:
            return held.names[node.attr]
        if isinstance(held, Duration) and node.attr == "seconds":
            return int(held.seconds % 86_400)
        return BoundMethod(held, node.attr)

    def _of_some(self, held: Alternatives, node: ast.Attribute) -> Value:
        """Of the values that have attributes: ``modal = None`` in another branch has none."""
        some = [v for v in held.values if v is not None] or list(held.values)
        usual = next((n for n, v in enumerate(some) if held.usual >= 0 and v is held.values[held.usual]), -1)
        return either([self._attribute(v, node) for v in some], usual, held.variable)

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
        lists = [c for c in called.values if isinstance(c, BoundMethod) and containers.changes_in_place(c)]
        if lists and isinstance(node.func, ast.Attribute):
            args, keywords = self.arguments(node)
            where = self.where(node)
            changed = [containers.changed(c, args, keywords, where) if c in lists else c for c in called.values]
            self._replace(node.func.value, either(changed, called.usual, called.variable))
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
        if (
            isinstance(called, BoundMethod)
            and containers.changes_in_place(called)
            and isinstance(node.func, ast.Attribute)
        ):
            self._replace(node.func.value, containers.changed(called, args, keywords, where))
            return containers.given_back(called, args, where)
        return self._weighed(over(lambda *a: pure.call(called, list(a), keywords, where), *args), node)

    def _of_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A call of what is imported, or built in."""
        if name in ("sys.path.insert", "sys.path.append") and args:
            self._search(args[-1])
            return None
        if name == "functools.partial" and args and "**" not in keywords:
            return Partial(args[0], tuple(args[1:]), keywords)
        if name == "builtins.getattr" and len(args) >= 2 and isinstance(args[1], str):
            return self._attribute(args[0], ast.copy_location(ast.Attribute(node.args[0], args[1], ast.Load()), node))
        made = objects.library_made(self, name, args, keywords, node)
        if made is not None:
            return made
        where = self.where(node)
        return self._weighed(over(lambda *a: pure.call(Dotted(name), list(a), keywords, where), *args), node)

    def _search(self, folder: Value) -> None:
        if isinstance(folder, str | PathValue):
            self.shared.search.append(self.file.parent / str(folder))

    def arguments(self, node: ast.Call) -> Arguments:
        """Folded arguments; ``*`` and ``**`` of known values are spread, of others stand as Unresolved."""
        bound = self.shared.given.pop(id(node), None) if self.shared.given else None
        args: list[Value] = list(bound.args) if bound is not None else []
        for arg in node.args:
            value = self.value(arg)
            if not isinstance(arg, ast.Starred):
                args.append(value)
                continue
            value = known_part(value)
            if isinstance(value, list | tuple):
                args.extend(value)
            else:
                args.append(unresolved_in(value) or Unresolved("a * of what the text does not hold", self.where(arg)))
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
        scope: Interpreter = function.scope
        inner = scope.inside()
        inner.depth, inner.is_repeating = self.depth + 1, self.is_repeating
        if function.held_by is not None and not _is_static(function.node):
            args = [function.held_by, *args]
        _bind_parameters(inner, function.node.args, args, keywords, self.where(at))
        self.shared.inlined.add(id(function.node))
        if isinstance(function.node, ast.Lambda):
            return inner.value(function.node.body)
        try:
            statements.run(inner, function.node.body)
        except Returned as e:
            return inner.returned.either(e.value)
        except Raised:
            said = inner.returned.values
            return either(said) if said else Unresolved("the helper raises", self.where(at))
        return inner.returned.either(None)

    def _comprehended(self, generators: list[ast.comprehension], make: Callable[[], Value]) -> Comprehended:
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
            turns = inner.value(rest[0].iter)
            if isinstance(turns, dict):
                turns = list(turns)
            if not statements.are_turns(turns):
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

    # --- places ---------------------------------------------------------------------------------------------------

    def where(self, node: ast.AST) -> Where:
        return self.offsets.where(node)

    def tick(self, steps: int = 1) -> None:
        self.shared.steps += steps
        if self.shared.steps > self.shared.most_steps:
            raise TooMuch


def _is_static(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", ())
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)


def _bind_parameters(
    scope: Interpreter, spec: ast.arguments, args: list[Value], keywords: dict[str, Value], at: Where
) -> None:
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    left = dict(keywords)
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
