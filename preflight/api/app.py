"""The app as its text has it: places, names, function bodies, and edits of the text."""

from preflight.app.bodies import calls_in, cuda_use_of, defs_of, is_web, options_given_later, training_of
from preflight.app.interpreter.values import read_from
from preflight.app.model import (
    App,
    BucketMount,
    EnvironRead,
    Gpu,
    Known,
    PipInstall,
    PipPackage,
    SecretRef,
    ShellCommand,
    Source,
    Span,
    Step,
    Unresolved,
    VolumeRef,
)
from preflight.app.places import argument_where, package_where, source_of, word_where
from preflight.app.planned import PLANNED_FUNCTION, NoFunction, function_named
from preflight.app.syntax import Syntax, dotted, strings_in, syntax_of
from preflight.app.uses import Use, attributes_of_objects, is_certain, is_guarded, uses_of_modal
from preflight.redact import is_secret_name
from preflight.rules.credentials import credential_in, is_credential
from preflight.rules.edits import (
    argument_dropped,
    keyword_dropped,
    keyword_node,
    keyword_renamed,
    keyword_value,
    name_before_parenthesis,
    quoted_like,
    replaced,
    together,
)
from preflight.rules.renames import renamed_everywhere
from preflight.rules.resources import GpuText, functions_of, gpu_texts, keyword_where, number, resource_calls
from preflight.rules.rewrites import add_argument, insert_link, remove_keyword, replace_package, replace_span

__all__ = [
    "PLANNED_FUNCTION",
    "App",
    "BucketMount",
    "EnvironRead",
    "Gpu",
    "GpuText",
    "Known",
    "NoFunction",
    "PipInstall",
    "PipPackage",
    "SecretRef",
    "ShellCommand",
    "Source",
    "Span",
    "Step",
    "Syntax",
    "Unresolved",
    "Use",
    "VolumeRef",
    "add_argument",
    "argument_dropped",
    "argument_where",
    "attributes_of_objects",
    "calls_in",
    "credential_in",
    "cuda_use_of",
    "defs_of",
    "dotted",
    "function_named",
    "functions_of",
    "gpu_texts",
    "insert_link",
    "is_certain",
    "is_credential",
    "is_guarded",
    "is_secret_name",
    "is_web",
    "keyword_dropped",
    "keyword_node",
    "keyword_renamed",
    "keyword_value",
    "keyword_where",
    "name_before_parenthesis",
    "number",
    "options_given_later",
    "package_where",
    "quoted_like",
    "read_from",
    "remove_keyword",
    "renamed_everywhere",
    "replace_package",
    "replace_span",
    "replaced",
    "resource_calls",
    "source_of",
    "strings_in",
    "syntax_of",
    "together",
    "training_of",
    "uses_of_modal",
    "word_where",
]
