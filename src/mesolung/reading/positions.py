"""Where the keys of a TOML text stand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Path = tuple[str | int, ...]
NESTED = ("array", "inline_table")
KEYS = ("bare_key", "quoted_key", "dotted_key")


@dataclass(frozen=True)
class Positions:
    """Lines of a text's keys.

    Attributes:
        lines: path of keys and indices -> line, from 1.
        repeated: the first key that stands twice: its name, its line, and the line where it stood before.
        broken: first line that the grammar could not read.
    """

    lines: Mapping[Path, int]
    repeated: tuple[str, int, int] | None = None
    broken: int | None = None

    def line(self, *path: str | int) -> int:
        """Return the line of a path, or of the nearest one above it; 1 when there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def find_positions(text: str) -> Positions:
    """Find the line of every key, table and array element.

    Arguments:
        text: a TOML text, well formed or not.

    Returns:
        what could be found; in a text that is not TOML, keys behind a fault may be missing.
    """
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode("utf-8"))
    walk = _Walk()
    walk.document(tree.root_node)
    return Positions(walk.lines, walk.repeated, _first_error(tree.root_node))


class _Walk:
    """One pass over the syntax tree, from the first line to the last."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.repeated: tuple[str, int, int] | None = None
        self.stated: set[Path] = set()  # paths that may not be stated again
        self.count: dict[Path, int] = {}  # path of an array of tables -> its elements so far

    def document(self, root: Node) -> None:
        for child in root.named_children:
            if child.type == "pair":
                self.entries([(child, ())])
            elif child.type in ("table", "table_array_element"):
                path = self.header(child, child.type == "table_array_element")
                if path:
                    self.entries([(pair, path) for pair in child.named_children if pair.type == "pair"])

    def header(self, node: Node, array: bool) -> Path:
        """Note a table's header; return the path of the table that it opens."""
        key = next((c for c in node.named_children if c.type in KEYS), None)
        parts = _parts(key) if key else []
        line = node.start_point[0] + 1
        path: Path = ()
        for i, part in enumerate(parts):
            path = (*path, part)
            last = i == len(parts) - 1
            if last and array:
                self.count[path] = self.count.get(path, 0) + 1
            elif last:
                self.state(path, ".".join(parts), line)
            self.lines.setdefault(path, line)
            if path in self.count:
                path = (*path, self.count[path] - 1)
                self.lines.setdefault(path, line)
        return path

    def entries(self, waiting: list[tuple[Node, Path]]) -> None:
        """Note pairs `key = value` and everything within their values, in the order of the text."""
        waiting = waiting[::-1]
        while waiting:
            node, above = waiting.pop()
            if node.type == "pair":
                children = [c for c in node.named_children if c.type != "comment"]
                key = children[0] if children and children[0].type in KEYS else None
                if key is None:
                    continue
                line = key.start_point[0] + 1
                path = above
                parts = _parts(key)
                for part in parts:
                    path = (*path, part)
                    self.lines.setdefault(path, line)
                self.state(path, ".".join(parts), line)
                waiting += [(value, path) for value in children[1:2] if value.type in NESTED]
            elif node.type == "inline_table":
                waiting += [(c, above) for c in reversed(node.named_children) if c.type == "pair"]
            elif node.type == "array":
                elements = [c for c in node.named_children if c.type not in ("comment", "ERROR")]
                for i, element in enumerate(elements):
                    self.lines.setdefault((*above, i), element.start_point[0] + 1)
                waiting += [
                    (element, (*above, i))
                    for i, element in reversed(list(enumerate(elements)))
                    if element.type in NESTED
                ]

    def state(self, path: Path, name: str, line: int) -> None:
        """Note that a key or table is stated; a second time is one too many."""
        if path in self.stated and self.repeated is None:
            self.repeated = (name, line, self.lines[path])
        self.stated.add(path)


def _parts(key: Node) -> list[str]:
    """The parts of a key, whose syntax tree leans to the left."""
    parts: list[str] = []
    while key.type == "dotted_key":
        children = [c for c in key.named_children if c.type in KEYS]
        if not children:
            return parts
        parts[:0] = [_name(c) for c in children[1:]]
        key = children[0]
    return [_name(key), *parts]


def _name(key: Node) -> str:
    text = (key.text or b"").decode("utf-8", errors="replace")
    if text[:1] not in ("'", '"'):
        return text
    if "\\" not in text:
        return text[1:-1]
    try:
        return next(iter(tomllib.loads(f"{text} = 0")))
    except tomllib.TOMLDecodeError:
        return text[1:-1]


def _first_error(root: Node) -> int | None:
    if not root.has_error:
        return None
    return next((node.start_point[0] + 1 for node in _nodes(root) if node.is_error or node.is_missing), None)


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [c for c in reversed(node.children) if c.has_error or c.is_missing]
