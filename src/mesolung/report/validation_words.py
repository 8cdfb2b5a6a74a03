"""The numbers of a validation in words, shared by its page and its table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.report.numbers import UNKNOWN, amount, interval, is_number, number, percent, unit_name
from mesolung.report.tables import Table, table
from mesolung.report.words import Words, arm_name, measure_name

SHOWN = 400


def plus_minus(value: Any, *errors: Any) -> str:
    """A number with its standard error, and its Monte-Carlo error where it is given too.

    Arguments:
        value: the number.
        errors: standard error, Monte-Carlo standard error.
    """
    if not is_number(value):
        return UNKNOWN
    said = [number(e, 2) if is_number(e) else UNKNOWN for e in errors]
    return f"{number(value)} ({', '.join(said)})" if said else number(value)


def what(line: Mapping[str, Any], words: Words) -> str:
    """What was observed, in words.

    Arguments:
        line: an observation of the validation's JSON.
        words: labels of endpoints.
    """
    said = words.endpoint(str(line.get("endpoint")))
    return f"{said}, {measure_name(line['contrast'])}" if line.get("contrast") else said


def who(line: Mapping[str, Any]) -> str:
    """Of which arm, and against which.

    Arguments:
        line: an observation of the validation's JSON.
    """
    if not line.get("arm"):
        return "order of arms"
    return arm_name(line.get("arm"), line.get("versus"))


def observed(line: Mapping[str, Any]) -> str:
    """The observed value in words.

    Arguments:
        line: an observation of the validation's JSON.
    """
    value = line.get("observed")
    if isinstance(value, (list, tuple)):
        return " > ".join(str(v) for v in value)
    if not is_number(value):
        return str(value)
    if line.get("statistic") == "events":
        return f"{number(value)} of {number(line.get('n'))}"
    return amount(value, line.get("unit"))


def predicted(line: Mapping[str, Any]) -> str:
    """The prediction in words: median with its 90 % interval, or the probabilities of the directions.

    Arguments:
        line: an observation of the validation's JSON.
    """
    if is_number(line.get("p_none")):
        return ", ".join(f"{k} {percent(line.get(f'p_{k}'))}" for k in ("lower", "none", "higher"))
    ends = line.get("interval_90")
    if not ends or not is_number(line.get("p50")):
        return UNKNOWN
    unit = line.get("unit")
    return f"{amount(line.get('p50'), unit)} ({interval({'p05': ends[0], 'p95': ends[1]}, unit)})"


def mark(line: Mapping[str, Any]) -> str:
    """Whether it lies inside the 90 % interval.

    Arguments:
        line: an observation of the validation's JSON.
    """
    inside = line.get("inside_90")
    if inside is None:
        return "NO" if line.get("failed") else UNKNOWN
    return "yes" if inside else "NO"


def unit(line: Mapping[str, Any]) -> str:
    """The unit of the numbers of an observation.

    Arguments:
        line: an observation of the validation's JSON.
    """
    if line.get("statistic") == "events":
        return "patients"
    return unit_name(line.get("unit")) if line.get("unit") else UNKNOWN


def observation_table(json: Mapping[str, Any], words: Words, failed: bool) -> Table | None:
    """The observations, the most surprising first.

    Arguments:
        json: of the validation.
        words: labels of endpoints.
        failed: those that were missed, or the others.

    Returns:
        the table; None without any.
    """
    own = [line for line in json["observations"] if bool(line.get("failed")) is failed and line["scored"]]
    rows = [
        (
            str(line["study"]),
            who(line),
            what(line, words),
            unit(line),
            predicted(line),
            observed(line),
            mark(line),
            plus_minus(line.get("log_score"), line.get("log_score_error")),
            plus_minus(line.get("crps"), line.get("crps_error")),
            plus_minus(line.get("pit"), line.get("pit_error")),
            str(line.get("used") or UNKNOWN),
        )
        for line in own[:SHOWN]
    ]
    header = (
        "Study",
        "Arm",
        "Endpoint",
        "Unit",
        "Predicted (90 %)",
        "Observed",
        "In 90 %",
        "Log score",
        "CRPS",
        "PIT",
        "Used for",
    )
    name = "missed" if failed else "met"
    more = f", the first {SHOWN} of {len(own)}" if len(own) > SHOWN else f", {len(own)}"
    caption = f"Predictions that {name}{more} (Monte-Carlo standard errors in brackets)".replace(
        "that missed", "that failed"
    ).replace("that met", "that held")
    return table(caption, header, rows, (4, 5, 7, 8, 9)) if rows else None


def skill_table(json: Mapping[str, Any]) -> Table | None:
    """The model against the constant effects, by treatment.

    Arguments:
        json: of the validation.
    """
    rows = [
        (
            treatment,
            name,
            number(one["trials"]),
            plus_minus(one["mean"], one["error"], one["monte_carlo"]),
            one["verdict"],
        )
        for treatment, found in json["skill"].items()
        for name, one in found.items()
    ]
    header = ("Treatment", "Against", "Trials", "Log score gained a trial (SE, Monte-Carlo SE)", "Verdict")
    caption = "The model against constant effects on its own control arm (positive: the model is better)"
    return table(caption, header, rows, (2, 3)) if rows else None


def bias_table(json: Mapping[str, Any]) -> Table | None:
    """What each bias term does to the first line.

    Arguments:
        json: of the validation.
    """
    first = json["headline_treatment"]
    if first is None:
        return None
    names = list(json["skill"][first])
    rows = [
        (
            name.replace("_", " ") + (" (chosen)" if name == json["bias"] else ""),
            *(
                plus_minus(
                    found.get(first, {}).get(n, {}).get("mean"), found.get(first, {}).get(n, {}).get("error")
                )
                for n in names
            ),
        )
        for name, found in json["skill_by_bias"].items()
    ]
    header = ("Bias switched on", *(f"against {name}" for name in names))
    caption = f"What the bias terms do to the first line: log score gained a trial, {first} (SE)"
    return table(caption, header, rows, tuple(range(1, len(names) + 1)))


def term_table(json: Mapping[str, Any]) -> Table:
    """The bias terms and where their sizes come from.

    Arguments:
        json: of the validation.
    """
    rows = [
        (
            b["name"].replace("_", " "),
            number(b["mean"]),
            number(b["sd"]),
            b["unit"],
            b["status"],
            b["source"],
        )
        for b in json["bias_terms"]
    ]
    header = ("Term", "Mean", "SD", "Unit (negative: towards benefit)", "Status", "Source")
    return table("Bias terms of the observation model", header, rows, (1, 2))


def part_table(json: Mapping[str, Any]) -> Table:
    """Coverage and scores of all observations and of parts of them.

    Arguments:
        json: of the validation.
    """
    rows = []
    for name, part in {"all": json["summary"], **json["parts"]}.items():
        c50, c90 = part["coverage"]["50"], part["coverage"]["90"]
        rows.append(
            (
                name,
                number(part["observations"]),
                number(part["trials"]),
                number(part["failed"]),
                covered(c50),
                covered(c90),
                plus_minus(
                    part["log_score"]["mean"], part["log_score"]["error"], part["log_score"]["monte_carlo"]
                ),
                plus_minus(part["pit"]["mean"], part["pit"]["monte_carlo"]),
                directions(part["directions"]),
            )
        )
    header = (
        "Part",
        "Observations",
        "Trials",
        "Failed",
        "Inside 50 % (expected)",
        "Inside 90 % (expected)",
        "Mean log score (SE, Monte-Carlo SE)",
        "Mean PIT",
        "Directions right (expected)",
    )
    return table("Calibration", header, rows, (1, 2, 3, 4, 5, 6, 7))


def covered(one: Mapping[str, Any]) -> str:
    """Coverage with what was expected of it, and its errors.

    Arguments:
        one: of the JSON's coverage.
    """
    if not one["observations"]:
        return UNKNOWN
    said = [percent(one[k]) if is_number(one[k]) else UNKNOWN for k in ("error", "monte_carlo")]
    return f"{percent(one['inside'])} ({percent(one['expected'])}; SE {said[0]}, Monte-Carlo {said[1]})"


def directions(one: Mapping[str, Any]) -> str:
    """How many directions were foretold, and how many were expected to be.

    Arguments:
        one: of the JSON's directions.
    """
    if not one["observations"]:
        return UNKNOWN
    return f"{percent(one['right'])} of {one['observations']} ({percent(one['expected'])})"


def crps_table(json: Mapping[str, Any]) -> Table | None:
    """Mean CRPS by kind of observation.

    Arguments:
        json: of the validation.
    """
    rows = [
        (name, number(one["observations"]), plus_minus(one["mean"], one["monte_carlo"]))
        for name, one in json["summary"]["crps"].items()
    ]
    header = ("Kind and unit", "Observations", "Mean CRPS (Monte-Carlo SE)")
    return table("Continuous ranked probability score", header, rows, (1, 2)) if rows else None


def joint_table(json: Mapping[str, Any], words: Words) -> Table | None:
    """Scores of the arms of an endpoint together, where it has several.

    Arguments:
        json: of the validation.
        words: labels of endpoints.
    """
    rows = [
        (
            str(one["study"]),
            words.endpoint(str(one["endpoint"])),
            number(one["arms"]),
            plus_minus(one["log_score"], one["log_score_error"]),
            plus_minus(one["treated_given_control"], one["treated_given_control_error"]),
        )
        for one in json["joint"]
        if one["arms"] > 1
    ]
    header = ("Study", "Endpoint", "Arms", "Log score", "Treated given the control")
    caption = "Arms scored together (Monte-Carlo standard errors in brackets)"
    return table(caption, header, rows, (2, 3, 4)) if rows else None


def study_table(json: Mapping[str, Any]) -> Table:
    """What became of each study.

    Arguments:
        json: of the validation.
    """
    rows = [
        (
            one["study"],
            one["name"],
            number(one["answered"]),
            number(one["not_modelled"]),
            one["refused"] or "; ".join(one["warnings"]) or "",
        )
        for one in json["studies"]
    ]
    header = ("File", "Study", "Answered", "Not modelled yet", "Could not be run, or warnings")
    return table("Studies", header, rows, (2, 3))


def left_out_table(json: Mapping[str, Any]) -> Table | None:
    """Each trial that was left out: by which weights it was predicted from the others.

    Arguments:
        json: of the validation.
    """
    found = json.get("leave_one_out")
    if not found:
        return None
    rows = [
        (
            str(one["trial"]),
            str(one["kind"]),
            "taken out" if one["learnt"] else "others put in",
            f"{one['khat']:.2f}" if is_number(one["khat"]) else UNKNOWN,
            number(round(one["effective"])),
            str(one["by"]),
        )
        for one in found["trials"]
    ]
    caption = f"Left out in turn; above k-hat {found['khat_limit']:g} weights are not trusted"
    head = ("Trial", "Kind", "How", "k-hat", "Effective draws", "Predicted by")
    return table(caption, head, rows, (3, 4)) if rows else None


def reason_table(json: Mapping[str, Any]) -> Table | None:
    """Why observations are not modelled yet.

    Arguments:
        json: of the validation.
    """
    rows = [(reason, number(count)) for reason, count in json["not_modelled"]["reasons"].items()]
    caption = "Not modelled yet: counted, never scored"
    return table(caption, ("Reason", "Observations"), rows, (1,)) if rows else None


def unscored_table(json: Mapping[str, Any]) -> Table | None:
    """Why observations that are answered stand in no score.

    Arguments:
        json: of the validation.
    """
    rows = [(reason, number(count)) for reason, count in json["not_scored"]["reasons"].items()]
    return table("Answered, in no score", ("Reason", "Observations"), rows, (1,)) if rows else None
