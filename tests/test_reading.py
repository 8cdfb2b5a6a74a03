"""Reading files: every refusal is one line with file and line, and positions are those of the file."""

from __future__ import annotations

import os
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesolung.reading import Refusal, read_table, read_toml

STUDY = '''\
schema = 1
name   = "a trial"
[population]
size = 24

[population.baseline]
age = { mean = 58, sd = 11, unit = "year" }
"pf ratio".'x y' = 3
a.b.c = 1
a.b.d = [ 1,
  2,   # a comment in the way
  { deep = true, far = [
      [1], [2]] } ]
[[arm]]
name = "one"
[[arm.treatment]]
dose = "1e6 cells"
times = [
  "0 d",
  "3 d",
]
[[arm.treatment]]
dose = "2e6 cells"
[arm.baseline.age]
mean = 60
[[arm]]
name = """two
lines"""
size = 3
[[arm.treatment]]
dose = "3e6 cells"
["quoted \\u00e9".key]
x = 1
'''


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "study.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


Write = Callable[[str | bytes], Path]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("schema",), 1),
        (("population",), 3),
        (("population", "size"), 4),
        (("population", "baseline"), 6),
        (("population", "baseline", "age", "sd"), 7),
        (("population", "baseline", "pf ratio", "x y"), 8),
        (("population", "baseline", "a"), 9),
        (("population", "baseline", "a", "b", "c"), 9),
        (("population", "baseline", "a", "b", "d"), 10),
        (("population", "baseline", "a", "b", "d", 0), 10),
        (("population", "baseline", "a", "b", "d", 1), 11),
        (("population", "baseline", "a", "b", "d", 2, "deep"), 12),
        (("population", "baseline", "a", "b", "d", 2, "far", 1, 0), 13),
        (("arm",), 14),
        (("arm", 0), 14),
        (("arm", 0, "name"), 15),
        (("arm", 0, "treatment"), 16),
        (("arm", 0, "treatment", 0), 16),
        (("arm", 0, "treatment", 0, "dose"), 17),
        (("arm", 0, "treatment", 0, "times", 1), 20),
        (("arm", 0, "treatment", 1, "dose"), 23),
        (("arm", 0, "baseline", "age", "mean"), 25),
        (("arm", 1), 26),
        (("arm", 1, "name"), 27),
        (("arm", 1, "size"), 29),
        (("arm", 1, "treatment", 0, "dose"), 31),
        (("quoted é", "key", "x"), 33),
        # What is not there is looked for where it would stand.
        (("arm", 1, "treatment", 0, "route"), 30),
        (("arm", 0, "treatment", 0, "times", 7), 18),
        (("arm", 0, "treatment", 0, "product", "type"), 16),
        (("arm", 5, "name"), 14),
        (("nothing", "of", "that"), 1),
    ],
)
def test_every_key_knows_its_line(written: Write, path: tuple[str | int, ...], line: int) -> None:
    document = read_toml(written(STUDY))
    assert document.values == tomllib.loads(STUDY)
    assert document.line(*path) == line


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_do_not_hang_on_line_ends_or_a_byte_order_mark(written: Write, ending: str) -> None:
    path = written(b"\xef\xbb\xbf" + STUDY.replace("\n", ending).encode())
    document = read_toml(path)
    assert document.line("arm", 1, "treatment", 0, "dose") == 31
    assert document.values["schema"] == 1
    assert document.file == path


def leaves(values: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path of a document."""
    below = (
        values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    )
    return [path] + [p for key, value in below for p in leaves(value, (*path, key))]


NAMES = st.sampled_from(["a", "b", "size", "two words", "é", "dot.ted", 'quo"te'])
VALUES = st.recursive(
    st.integers(-5, 5) | st.booleans() | st.sampled_from(["text", "", "# none"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def spelled(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(k)} = {spelled(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(spelled(v) for v in value) + "]"
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A text as TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_path_of_a_document_is_missed(tmp_path: Path, tables: list[dict[str, object]]) -> None:
    lines: list[str] = []
    where: dict[tuple[str | int, ...], int] = {}
    for i, table in enumerate(tables):
        lines.append("[[table]]")
        where["table", i] = len(lines)
        for key, value in table.items():
            lines.append(f"{quoted(key)} = {spelled(value)}")
            for path in leaves(value, ("table", i, key)):
                where[path] = len(lines)
    path = tmp_path / "made.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    document = read_toml(path)
    assert document.values == {"table": tables}
    assert {p: document.line(*p) for p in where} == where


def refusal_of(path: Path) -> Refusal:
    """The refusal of a file, which is one line and names it."""
    with pytest.raises(Refusal) as caught:
        read_toml(path)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400 + len(str(path)) and text.isprintable()
    assert text.startswith(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a = 1\nb = \n", 2, "not valid TOML"),
        ("a = 1\n\nthis is prose\n", 3, "not valid TOML"),
        ("a = 1\n[[b]\nc = 1\n", 2, "not valid TOML"),
        ('a = 1\nb = "open\nc = 1\n', 2, "not valid TOML"),
        ("a = 1\nb = [1,\n 2,\n", 2, "not valid TOML"),
        ('a = 1\nb = """open\nc\nd\n', 2, "not valid TOML"),
        ("a = 1\nb = 2024-13-45\n", 2, "not valid TOML"),
        ("a = 1\nb = " + "9" * 6000, None, "not valid TOML"),
        ("a = " + "[" * 100_000, None, "nested too deeply"),
        ("a = 1\n" + "b." * 200_000 + "b = 1\n", 2, "too many parts"),
        ("a = 1\n[" + "b." * 200_000 + "b]\n", 2, "too many parts"),
        ("<html>\n<body>\n", 1, "not valid TOML"),
        ("a = 1\nb = 2\x00\n", 2, "not a text file"),
        (b"a = 1\n\nb = '\xff\xfe'\n", 3, "not UTF-8"),
        ("a = 1\n".encode("utf-16"), 1, "not "),
        ("", None, "empty"),
        ("  \n\t\n", None, "empty"),
        ("a = 1\n# \x1b[31m\nb = \x1b[31m\n", 2, "not valid TOML"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_toml_is_refused_at_its_line(
    written: Write, content: str | bytes, line: int | None, problem: str
) -> None:
    refusal = refusal_of(written(content))
    assert problem in str(refusal)
    if line is not None:
        assert refusal.line == line


@pytest.mark.parametrize(
    ("content", "line", "first", "name"),
    [
        ("a = 1\nb = 2\na = 3\n", 3, 1, "a"),
        ("[t]\na = 1\n[u]\na = 1\n[t]\nb = 1\n", 5, 1, "t"),
        ("[t]\na.b = 1\nc = 2\na.b = 3\n", 4, 2, "a.b"),
        ("a = { b = 1, b = 2 }\n", 1, 1, "b"),
        ("[[arm]]\nname = 1\n[[arm]]\nname = 1\nname = 2\n", 5, 4, "name"),
        ('[t]\nsize = 1\nx = 1\n"size" = [\n1,\n2]\n', 4, 2, "size"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_places(
    written: Write, content: str, line: int, first: int, name: str
) -> None:
    refusal = refusal_of(written(content))
    assert refusal.line == line and refusal.found == name
    assert "twice" in refusal.problem and f"line {first}" in str(refusal.allowed)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "no such file" in str(refusal_of(tmp_path / "absent.toml"))
    assert "found a directory" in str(refusal_of(tmp_path))
    assert "cannot be read" in str(refusal_of(tmp_path / ("long" * 200)))
    with pytest.raises(Refusal):
        read_toml("nul\0byte.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    assert "not a regular file" in str(refusal_of(pipe))


def test_a_hundred_megabytes_of_noise_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "noise.toml"
    block = os.urandom(1_000_000)
    with path.open("wb") as stream:
        for _ in range(100):
            stream.write(block)
    start = time.perf_counter()
    refusal = refusal_of(path)
    assert time.perf_counter() - start < 0.5
    assert "too large" in refusal.problem and "100000000" in str(refusal.found)


@pytest.mark.parametrize(
    "text", ["[", "a", "=", "a=[", '"', "'", "a={b=", "[[a]]\n", "\n", "é", "a.b\n", "#"]
)
def test_the_largest_file_of_anything_takes_seconds_at_most(written: Write, text: str) -> None:
    path = written((text * (1_000_000 // len(text.encode())))[:1_000_000])
    start = time.perf_counter()
    try:
        read_toml(path).line("a", 3)
    except Refusal as refusal:
        assert len(str(refusal)) < 400 + len(str(path))
    assert time.perf_counter() - start < 20


@given(
    st.integers(0, len(STUDY) - 1),
    st.integers(0, 12),
    st.text(max_size=6)
    | st.sampled_from(["[", "]", "{", '"', '"""', "\n", "=", "[[arm]]\n", "a.b = 1\n", "\x00"]),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, place: int, cut: int, put: str) -> None:
    text = STUDY[:place] + put + STUDY[place + cut :]
    path = tmp_path / "damaged.toml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        document = read_toml(path)
    except Refusal as refusal:
        assert re.match(re.escape(str(path)) + r"(:\d+)?: ", str(refusal))
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1
        return
    count = text.count("\n") + 1
    for key in leaves(document.values):
        assert 1 <= document.line(*key) <= count


def test_a_table_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('b,a\n1, x\n\n2,"y, z"\n', encoding="utf-8")
    rows = read_table(path, ("a", "b"))
    assert [(row["a"], row["b"], row.line) for row in rows] == [("x", "1", 2), ("y, z", "2", 4)]


@pytest.mark.parametrize(
    ("content", "line"),
    [("", 1), ("a\n", 1), ("a,b,c\n", 1), ("a,a\n", 1), ("a,b\n1,2\n3\n", 3), ("a,b\n1,2,3\n", 2)],
)
def test_a_table_of_another_shape_is_refused(tmp_path: Path, content: str, line: int) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        read_table(path, ("a", "b"))
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n\xff,1\n", ":2: not UTF-8 text (found byte 0xff)"),
        (b'a,b\n1,"2\n', ":2: not a CSV table: unexpected end of data"),
        (b'a,b\n1,"2"3\n', ":2: not a CSV table: "),
        (b"a,b\n1," + b"2" * 200_000, ":2: not a CSV table: field larger than field limit"),
        (None, ": cannot be read: No such file or directory"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        read_table(path, ("a", "b"))
    assert str(caught.value).startswith(str(path) + says)


def test_a_table_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        read_table(tmp_path, ("a", "b"))


def test_a_table_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\ufeffa,b\n1,2\n", encoding="utf-8")
    assert [row["a"] for row in read_table(path, ("a", "b"))] == ["1"]
