"""What is not known of a lot, in sentences: no data, or never measured together."""

from __future__ import annotations

from mesolung.product.acts import interventions, is_known, pairs
from mesolung.product.growth import growth
from mesolung.product.priming_doses import is_dose_used
from mesolung.product.priors import read_priors, read_sources
from mesolung.product.product import ALIVE, Product
from mesolung.product.vesicles import CAPSULE


def unknowns(product: Product) -> list[str]:
    """Tell in sentences what the numbers of a lot cannot know.

    Arguments:
        product: validated.
    """
    found = []
    for table, basis in (
        ("growth", growth()[product.source].basis),
        ("senescence and clotting", read_sources()[product.source].basis),
    ):
        if basis.startswith("assumed"):
            found.append(f"No data for {product.source} cells on {table}: {basis.removeprefix('assumed: ')}.")
    done = interventions(product)
    for what, agent in done:
        if not is_known(what, agent):
            found.append(f"Nothing collected on {what} with {agent}: a wide effect of either sign stands in.")
    together = len(pairs(product))
    if together:
        spread = float(read_priors()["pair_unknown"].uncertainty)
        found.append(
            f"{len(done)} interventions together: the combination has not been measured beside its parts, so "
            f"the interval of potency is wider, by {spread:g} in natural log for each of {together} "
            f"{'pair' if together == 1 else 'pairs'}."
        )
    found += [
        f"The dose {one.dose} of {one.agent or one.kind} moves nothing: no curve is tabulated for it."
        for one in product.priming
        if one.dose is not None and not is_dose_used(one)
    ]
    if product.freezing and product.freezing.stored is not None and product.type in ALIVE:
        found.append(
            "The time in frozen storage moves nothing: nothing collected tells what cells lose in it."
        )
    found += [
        f"The assay {one.name} has no reference lot, so it moves nothing."
        for one in product.assay
        if one.reference is None and one.value is not None
    ]
    found += [f"The assay {one.name} has no value yet." for one in product.assay if one.value is None]
    shells = [one for one in product.engineering if one.kind == CAPSULE]
    if any(one.release is not None for one in product.engineering) and not (shells and product.type == "ev"):
        found.append(
            "A release over time moves nothing but vesicles in a capsule: cells stay in their shell."
        )
    if product.subpopulation:
        found.append("There is no accepted definition of subpopulations: a share moves potency either way.")
    return found
