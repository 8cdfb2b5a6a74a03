"""Draw `docs/images/pathways.svg`, the map of the model's states, again after a change of the modules.

Run it from the top of the repository: `python tools/pathways.py`.
"""

from __future__ import annotations

from pathlib import Path

from mesolung.biology.pathway import pathway_map

TARGET = Path("docs/images/pathways.svg")
DISEASE = "ards"


def main() -> None:
    """Draw the map with the drivers of ARDS, as `mesolung export --format svg --disease ards` does."""
    TARGET.write_text(pathway_map(DISEASE), encoding="utf-8", newline="\n")
    print(f"{TARGET} drawn")


if __name__ == "__main__":
    main()
