"""Sources of parameters: identifiers found in their rows, with links, and what is named in words only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from mesolung.biology.parameters import Parameter

_DOI = re.compile(r"\b(10\.\d{4,9}/[^\s,;]+)")
_PMC = re.compile(r"\bPMC\d+")
_PMID = re.compile(r"\bPMID (\d+)((?:, \d{6,8})*)")
_MODEL = re.compile(r"\bBIOMD\d{10}")
_CODE = re.compile(r"\b(?:InSysBio|nlisim|Cytocon|Pulse)\b")
_CODES = {
    "InSysBio": "InSysBio covid19-qsp-model (MIT), published model code",
    "nlisim": "nlisim (Apache-2.0), published model code",
    "Cytocon": "Cytocon extract in InSysBio covid19-qsp-model: published baseline measurements",
    "Pulse": "Pulse physiology engine (Apache-2.0), its table of severities",
}


def identifiers(source: str) -> list[str]:
    """Find DOIs, PMIDs, PMC and BioModels numbers in a row's source, in this order, each once."""
    found = [f"doi {doi.rstrip('.):')}" for doi in _DOI.findall(source)]
    for first, more in _PMID.findall(source):
        found += [f"PMID {number}" for number in re.findall(r"\d+", f"{first} {more}")]
    return list(dict.fromkeys([*found, *_PMC.findall(source), *_MODEL.findall(source)]))


def address(identifier: str) -> str:
    """Give the web address of an identifier."""
    kind, _, number = identifier.partition(" ")
    if kind == "doi":
        return f"https://doi.org/{number}"
    if kind == "PMID":
        return f"https://pubmed.ncbi.nlm.nih.gov/{number}/"
    if identifier.startswith("PMC"):
        return f"https://pmc.ncbi.nlm.nih.gov/articles/{identifier}/"
    return f"https://identifiers.org/biomodels.db:{identifier}"


def linked(source: str) -> str:
    """Turn the identifiers of a source into links."""
    for identifier in identifiers(source):
        number = identifier.split()[-1]
        pattern = re.compile(rf"(?<![\w/\[(]){re.escape(number)}(?!\d)|(?<=\(){re.escape(number)}(?!\d)")
        source = pattern.sub(f"[{number}]({address(identifier)})", source, count=1)
    return source


def sources_part(rows: Iterable[Parameter]) -> str:
    """List what the rows of a page rest on.

    Arguments:
        rows: of parameters.csv.

    Returns:
        Markdown: identifiers and published code with the parameters that cite them; then rows that say "seen"
        or "derived" and name their source in words only.
    """
    cited: dict[str, list[str]] = defaultdict(list)
    words: list[Parameter] = []
    for row in rows:
        own = identifiers(row.source)
        codes = [_CODES[code] for code in dict.fromkeys(_CODE.findall(row.source))]
        for source in (*own, *codes):
            cited[source].append(row.id)
        if not own and not codes and not row.source.startswith("assumed"):
            words.append(row)
    lines = [f"- {_shown(source)}: {_names(ids)}" for source, ids in sorted(cited.items())]
    if not lines:
        lines = ["No row of this page cites a publication by an identifier."]
    if words:
        lines += ["", "Seen or derived, with the source named in words only:", ""]
        lines += [f"- {_names([row.id])}: {row.source.partition(': ')[2]}" for row in words]
    return "\n".join(lines)


def _shown(source: str) -> str:
    known = source.startswith(("doi ", "PMID ", "PMC", "BIOMD"))
    return f"[{source}]({address(source)})" if known else source


def _names(ids: Iterable[str]) -> str:
    return ", ".join(f"[`{name}`](#{name})" for name in ids)
