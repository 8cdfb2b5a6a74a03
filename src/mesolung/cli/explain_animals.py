"""What `mesolung explain` tells of species and of the injuries of experiments."""

from __future__ import annotations

from collections.abc import Iterator

from mesolung.cli.entry import Entry


def animal_entries() -> Iterator[Entry]:
    """Tell of every species and of every disease that an experiment sets."""
    from mesolung.biology.animal_disease import animal_diseases, read_animal_disease
    from mesolung.biology.species import HUMAN, read_species, species_names

    human = read_species(HUMAN)
    for name in species_names():
        one = read_species(name)
        yield Entry(
            name,
            "species",
            f"{one.label}: amounts given count {human.lung_g / one.lung_g:.4g} times at the human's size",
            {
                "weight": f"{one.weight_kg:g} kg",
                "lung": f"{one.lung_g:g} g",
                "spread between subjects": f"{one.spread:g} of that of patients",
                "parameters of its own": tuple(sorted({change.id for change in one.changes})),
            },
            brief=(f"{one.weight_kg:g}", "kg", ""),
        )
    for name in animal_diseases():
        disease = read_animal_disease(name)
        yield Entry(
            name,
            "disease of an experiment",
            disease.label,
            {
                "agent": disease.agent,
                "amount in": tuple(disease.units),
                "amount not stated": f"{disease.amount:g} {disease.amount_unit}; {disease.amount_source}",
                "route not stated": disease.route,
                "acts on": tuple(sorted({driver.target for driver in disease.drivers})),
                "parameters of its own": tuple(sorted({change.id for change in disease.changes})),
            },
            brief=(f"{disease.amount:g}", disease.amount_unit, ""),
        )


def in_species(parameter: str, unit: str) -> tuple[str, ...]:
    """Say what a parameter is in other species.

    Arguments:
        parameter: its id.
        unit: of the table.

    Returns:
        a text a species that has its own, with its source; none where all have the human value.
    """
    from mesolung.biology.species import all_changes

    words = {"factor": "{:g} times the human value", "value": "{:g} {}", "extensive": "{:g} {} of the animal"}
    return tuple(
        f"{name}: {words[change.how].format(change.value, unit)} ({change.source}; grade {change.grade})"
        for name, changes in all_changes().items()
        for change in changes
        if change.id == parameter
    )
