"""YAML that a person reads and edits: short lists on one line, nothing guessed, nothing executed."""

import re
from collections.abc import Hashable

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from hounsfield.core.types import Json

_INLINE_LENGTH = 100
_WIDTH = 110


class YamlError(ValueError):
    """A text is not the plain YAML that is expected; the message says where."""


def yaml_text(value: Json) -> str:
    """Return the YAML text of a JSON value, in the order given, lists of plain values on one line."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False)


def parse_yaml(text: str) -> Json:
    """Return the JSON value that a YAML text holds.

    Raises
    ------
    YamlError
        If it is not YAML, repeats a key, uses anchors, or holds something that JSON cannot.

    Notes
    -----
    Only JSON types are understood. ``yes``, ``no``, ``on`` and dates stay text (class names often look so), and
    ``1e-3`` is a number, both unlike YAML 1.1. Anchors are refused: a few lines of them can grow to gigabytes.
    """
    try:
        loader = _Loader(text)
        value: Json = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1})" if mark else ""
        raise YamlError(f"{error.problem or error.context or 'it is not YAML'}{where}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError("it is not readable text in YAML") from error
    return value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002  # PyYAML's
        del indentless
        super().increase_indent(flow, indentless=False)


def _represent_list(dumper: yaml.SafeDumper, data: list[Json] | tuple[Json, ...]) -> Node:
    flat = not any(isinstance(item, list | dict) and item for item in data)
    nested = all(isinstance(item, list) for item in data) and len(str(data)) < _INLINE_LENGTH
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat or nested)


def _represent_text(dumper: yaml.SafeDumper, data: str) -> Node:
    # PyYAML folds U+0085, U+2028 and their like into spaces unless they stand escaped in double quotes
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(tuple, _represent_list)


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not allowed", self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Json]:  # noqa: FBT001, FBT002
        found: dict[Hashable, Json] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is not plain text", key.start_mark)
            if key.value in found:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            found[key.value] = self.construct_object(value, deep=deep)
        return found


_TAG = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), _first)
    _Dumper.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), _first)
