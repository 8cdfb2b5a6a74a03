"""Arms of made-up studies, as a study file writes them."""

from __future__ import annotations


def cells_arm(name: str = "cells", size: int = 10, dose: str = "1e6 cells/kg") -> str:
    """An arm that is given bone marrow cells once."""
    return (
        f'[[arm]]\nname = "{name}"\nsize = {size}\n[[arm.treatment]]\n'
        f'product = {{ source = "bone marrow" }}\ndose = "{dose}"\nroute = "intravenous"\ntimes = ["0 d"]\n'
    )


def control_arm(name: str, size: int = 10) -> str:
    """An arm that is given nothing."""
    return f'[[arm]]\nname = "{name}"\nsize = {size}\ncontrol = true\n'
