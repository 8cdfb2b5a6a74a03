"""Every mechanism has a switch: off, it changes the rates that it should, nothing else, and by a size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from tests.biology_subjects import (
    Subjects,
    Values,
    course,
    initial,
    model,
    sources,
    subjects,
    system,
)

from mesolung.engine.evaluate import evaluate

DRIVEN = (
    "NET ROS AM M0 M1 M2 TH1 TH2 TH17 TREG CD8 TNF IL1B IL1RA IL6 IL8 IL10 CCL2"  # by the macrophages' drive
)
NODES = "TH1_node TH2_node TH17_node TREG_node CD8_node"
PLASMA = "TNFp IL1Bp IL6p IL8p IL10p"
OXYGEN = "VENT WEAN OFM HAZ DIS"  # what P/F acts on
AERATION = f"{OXYGEN} VILI"
EPITHELIUM = "DAMP AT1 AT2 SRAGE"
DEATHS = (
    "MSC_alv MSC_dying MSC_hours MSC_licensed MSC_lung"  # of given cells, here by NK cells that miss self
)
KILLED = "ANTIGEN AT2 DAMP INFECTED SRAGE"  # infected cells, by NK cells

# Parameter -> the states whose rate changes at once when it is 0, and no other state's does.
SWITCHES = {
    "virus_weight bacteria_weight damage_weight tnf_weight il1_weight": DRIVEN,
    "il10_brake dex_drive": DRIVEN,
    "gain_efferocytosis on_efferocytosis reprogrammed_per_cell": "M0 M1 M2 REPROG",
    "calm_TSG6 calm_PGE2 calm_reprogram": DRIVEN,
    "on_TSG6": f"{DRIVEN} NEU NEU_blood",
    "on_PGE2": (
        f"{DRIVEN} {NODES} {PLASMA} {KILLED} NK NK_blood IFNG DC FIBRO MFB BAC BAC_blood NOS PAMP"
        f" REPROG OFM TUMOUR {DEATHS}"
    ),
    "on_KYN": f"{NODES} {KILLED} {DEATHS} NK NK_blood IFNG IL10 M1 M2 PB TUMOUR",
    "t_contact t_KYN t_PGE2": f"{NODES} IFNG TUMOUR",
    "on_contact gain_contact": f"{DRIVEN} {NODES} {KILLED} IFNG NEU NEU_blood TUMOUR",
    "on_PDL1": f"{NODES} {KILLED} IFNG TUMOUR",
    "kill_PDL1": KILLED,
    "on_CD73": f"{DRIVEN} {NODES} IFNG NEU NEU_blood TUMOUR",
    "cd73_damage": f"{NODES} IFNG TUMOUR",
    "calm_CD73": DRIVEN,
    "entry_CD73": "NEU NEU_blood",
    "on_debris debris_weight": DRIVEN,
    "m2_PGE2 m2_TSG6 m2_reprogram m2_mito m2_KYN": "M1 M2",
    "on_IL10 il10_PGE2 il10_reprogram": f"{PLASMA} IL10 OFM",
    "il10_KYN": "IL10",
    "on_IL1RA": "IL1RA",
    "on_IL6 secrete_IL6": "IL6",
    "on_HGF": "AT2 ENDO FIBRO MFB TRANS TUMOUR",
    "on_KGF": "AT2 EVLW TRANS TUMOUR",
    "on_ANG1 ev_ANG1": f"{PLASMA} ENDO EVLW SURF NEU NEU_blood",
    "endothelium_ANG1": f"{PLASMA} ENDO EVLW SURF",
    "ev_KGF": "AT2 EVLW TRANS TUMOUR",
    "endothelium_HGF": "ENDO",
    "on_LL37 killing_LL37 killing_mito killing_PGE2": "BAC BAC_blood NOS PAMP",
    "on_mito gain_mito": "MITO",
    "on_niche gain_niche": (
        f"{DRIVEN} {NODES} {PLASMA} {KILLED} NEU NEU_blood DC NK NK_blood PB IFNG BAC BAC_blood NOS PAMP"
        f" TRANS SURF ENDO EVLW FIBRO MFB REPROG OFM TUMOUR {DEATHS}"
    ),
    "on_EV gain_EV": (
        f"{PLASMA} {KILLED} DC ENDO EVLW IFNG IL10 NEU NEU_blood NK NK_blood PB REPROG SURF TRANS"
        f" TUMOUR {DEATHS}"
    ),
    "ev_share_miRNA ev_share_mito": "",  # only how the whole is parted
    "on_EV_miRNA on_EV_protein on_EV_mito": (
        f"{KILLED} {DEATHS} DC IFNG IL10 NK NK_blood PB REPROG TRANS TUMOUR"
    ),
    "reprogram_EV reprogram_engulfment reprogram_PGE2": "REPROG",
    "treg_KYN treg_PGE2 k_treg": "TH1_node TH2_node TH17_node TREG_node",
    "dc_PGE2 dc_EV": "DC",
    "nk_KYN nk_PGE2 nk_EV": f"{KILLED} {DEATHS} IFNG NK NK_blood",
    "b_KYN b_EV": "IL10 PB",
    "entry_TSG6 entry_ANG1": "NEU NEU_blood",
    "net_TSG6": "NET ROS",
    "repair_KGF repair_HGF repair_mito repair_EV": "AT2 TRANS TUMOUR",
    "protect_mito": EPITHELIUM,
    "fluid_KGF": "EVLW",
    "fibrosis_HGF fibrosis_PGE2": "FIBRO MFB",
    "make_IL10_B": "IL10",
    "on_licensing": "MSC_alv MSC_licensed MSC_lung",
    "on_TLR license_TLR4 license_TLR3 on_memory memory_speed": "MSC_alv MSC_licensed MSC_lung",
    "k_memory": "MSC_memory",
    "on_missing_self k_missing_self": DEATHS,
    "on_homing": "MSC_blood MSC_lung",
    "on_autophagy": "MSC_autophagic MSC_lung",
    "on_entrapment": "EMB HAZ_fever HAZ_reaction MSC_blood MSC_lung",
    "death_nk": "MSC_alv MSC_dying MSC_hours MSC_lung",
    "death_sensitised": "MSC_alv MSC_dying MSC_hours MSC_licensed MSC_lung",
    "on_embolism aggregate_weight": "EMB",
    "on_clot": "DNA_lung EMB MARK_lung MSC_blood MSC_hours TF",
    "on_reaction on_DMSO on_pyrogen on_airway": "HAZ_fever HAZ_reaction",
    "reaction_airway reaction_vehicle": "HAZ_reaction",
    "fever_airway fever_vehicle": "HAZ_fever",
    "on_alloimmunity": "HAZ_DSA SENS",
    "on_tumour tumour_stroma tumour_vessels tumour_evasion": "TUMOUR",
    "tumour_survival tumour_spread tumour_transformation": "TUMOUR",
    "on_tumour_stroma on_tumour_vessels on_tumour_evasion": "TUMOUR",
    "on_tumour_survival on_tumour_spread on_tumour_transformation": "TUMOUR",
    "thrombosis_base thrombosis_embolism": "HAZ_thrombosis",
    "gain_clearance": "BAC BAC_blood NOS PAMP",
    "neutrophil_influx": "NEU_blood NEU",
    "neutrophil_survival": "NEU NEU_dying",
    "net_release": "NET",
    "ros_release": "ROS",
    "k_efferocytosis efferocytosis_M2": "NEU_dying M1 M2",
    "damp_necrosis damp_epithelium damp_endothelium damp_clearance_M2": "DAMP",
    "monocyte_influx": "MONO M0",
    "monocyte_release": "MONO",
    "resident_share": "AM M1",
    "activate_ifng": "M0 M1",
    "switch_il10 switch_il13 switch_engulfment": "M1 M2",
    "marrow_il6 marrow_il17 marrow_demand": "MARROW",
    "release_il6 release_endotoxin": "NEU_blood",
    "dc_prime dc_bacteria": "DC",
    "k_expand": NODES,
    "nk_influx": "NK_blood NK",
    "pb_expand": "PB",
    "pc_seed": "PC",
    "make_AB hold_AB": "AB",
    "neutralisation": "INFECTED",
    "neutralise": "VIR",
    "kill_CD8 kill_NK": "DAMP INFECTED ANTIGEN AT2 SRAGE",
    "k_resistance": "RESISTANT",
    "interferon_production": "IFN",
    "opsonin kill_macrophage": "BAC PAMP",
    "il10_killing kill_neutrophil": "BAC NOS PAMP",
    "dex_killing": "BAC BAC_blood NOS PAMP",
    "dex_immunity": f"{NODES} PB HAZ_DSA SENS",
    "kill_antibiotic": "BAC BAC_blood NOS PAMP",
    "kill_blood kill_blood_neutrophil": "BAC_blood",
    "k_invasion": "BAC BAC_blood",
    "endotoxin_of_bacteria": "LPS",
    "systemic_gain": "ACT1",
    "tolerance dex_systemic": PLASMA,
    "lymphopenia_ifn lymphopenia_il6 lymphopenia_organ lymphopenia_dex": "LYM",
    "injury_neutrophil injury_protease injury_oxidant injury_tnf injury_ventilator": f"{EPITHELIUM} ENDO",
    "injury_bacteria": EPITHELIUM,
    "injury_tnfp injury_thrombin": "DAMP ENDO",
    "permeability_gain ang2_permeability dex_permeability": f"{PLASMA} SURF EVLW",
    "clearance_oxidant": "EVLW",
    "surf_inactivation": "SURF",
    "atelectasis vasoconstriction peep_recruitment": AERATION,
    "low_vq_share": OXYGEN,
    "shunt_embolism fibrin_obstruction": AERATION,
    "tf_tnf tf_net tf_endothelium": "TF",
    "make_THR": "THR",
    "make_FIB": "FIB",
    "type2_alarm type2_allergen": "TYPE2",
    "type17_alarm type17_colonised": "TYPE17",
    "alarm_allergen alarm_colonised alarm_cold": "ALARM",
    "eosinophil_influx": "EOS EOS_blood",
    "eosinophil_release": "EOS_blood",
    "eosinophil_survival": "EOS",
    "ige_il13": "IGE",
    "goblet_il13 goblet_neutrophil": "GOB",
    "mucus_exacerbation": "MUC",
    "muscle_il13 muscle_mast": "ASM",
    "make_IL13_type2": "IL13",
    "make_IL17_type17": "IL17",
    "make_TGFB_stretch": "TGFB",
    "k_scar": "SCAR",
    "narrow_colonised narrow_neutrophil narrow_eosinophil narrow_senescent": "NARROW",
    "k_elastolysis": "ELAS",
    "k_rupture rupture_stress": "EMPH",
    "ready_narrow ready_eosinophil ready_type17 ready_scar": "EXA HAZ_exacerbation",
    "exacerbation_cold exacerbation_allergen": "EXA HAZ_exacerbation",
    "pneumonia_rate pneumonia_colonised": "HAZ_pneumonia",
    "senescent_repair": "AT2",
    "death_narrow death_scar death_exacerbation": "HAZ",
    "heparin_effect": "EMB THR",
    "pai_tnf pai_il6": "PAI",
    "ddimer_of_lysis": "DDIMER",
    "fibroblast_growth": "FIBRO",
    "fibroblast_activation": "MFB",
    "make_COL": "COL",
    "crosslinking": "COL COLM",
    "collagen_stiffness": "",
    "tcz_clearance": "IL6p",
    "dex_crp": "CRP",
    "dex_shock": "OFX",
    "dex_license": "MSC_alv MSC_lung MSC_licensed",
    "ofm_il6 ofm_tnf ofm_bacteraemia ofm_hypoxaemia ofm_vessels": "OFM",
    "dex_side_effect mediated_share risk_hypoxaemia hazard_embolism hazard_lethal": "HAZ",
    "embolic_size embolic_clot": "EMB",
    "inoculation": "NOS",
    "kill_nosocomial kill_ward kill_cough": "NOS PAMP",
    "spill_TNF make_TNFp": "TNFp",
    "spill_IL6 make_IL6p": "IL6p",
    "ang2_tnf ang2_endothelium ang2_thrombin": "ANG2",
    "tnfr_tnf tnfr_organ": "TNFR",
    "srage_shed srage_infected": "SRAGE",
    "nos_neutrophil": "NOS PAMP",
}
SWITCHED = {name: where for names, where in SWITCHES.items() for name in names.split()}
# What a state without health of its own may reach in a severe course, where it is not of order 1.
REACHED = {
    **dict.fromkeys(("NARROW", "EMPH", "SCAR", "EXA", "SEN"), 0.1),
    "BAC": 300.0,
    "BAC_blood": 30.0,
    "NOS": 50.0,
    "PAMP": 100.0,
    "VIR": 1.0,
    "INFECTED": 0.02,
    "RESISTANT": 0.1,
    "ANTIGEN": 0.02,
    "IFN": 10.0,
    "LPS": 1.0,
    "DEX": 3.0,
    "DEXE": 2.0,
    "TCZ": 100.0,
    "HEP": 2000.0,
    "ABX": 300.0,
    "OFX": 4.0,
    "OFM": 2.0,
    "EMB": 0.02,
    "VENT": 0.7,
    "MSC_blood": 0.02,
    "MSC_lung": 0.05,
    "MSC_licensed": 0.05,
    "MSC_dying": 0.02,
    "NEU_dying": 2.0,
    "ABN": 0.5,
}
# Times what health holds.
RAISED = {
    "EOS": 30.0,
    "NEU": 40.0,
    "M1": 8.0,
    "TNF": 300.0,
    "IL1B": 80.0,
    "IL6": 300.0,
    "IL8": 150.0,
    "IL10": 20.0,
    "IFNG": 60.0,
    "TGFB": 12.0,
    "CCL2": 20.0,
    "IL13": 30.0,
    "IL17": 60.0,
    "IL6p": 300.0,
    "TNFp": 5.0,
    "SURF": 0.6,
    "AT1": 0.7,
    "AT2": 0.7,
    "ENDO": 0.7,
    "EVLW": 2.0,
    "LYM": 0.5,
    "AM": 0.5,
}


@pytest.fixture(scope="module")
def ill() -> tuple[Subjects, Values]:
    """Subjects at states in which every mechanism is at work, each state scattered by half."""
    people = subjects("healthy", 80, seed=81, uncertain=False).with_values(
        human_effect=1.0,
        gain_niche=10.0,
        gain_efferocytosis=1.0,
        gain_EV=1.0,
        gain_mito=1.0,
        gain_contact=1.0,
        gain_clearance=0.3,
        debris_weight=0.3,
        license_TLR4=0.2,
        license_TLR3=-0.2,
        product_dmso=2.0,
        product_pyrogen=3.0,
        product_nk=1.0,
        product_transformation=0.5,
        mediated_share=0.5,
        admitted=1.0,
        antibiotic_cross=1.0,
    )
    start = initial(people)
    scatter = np.exp(0.5 * np.random.default_rng(82).standard_normal(start.shape))
    for i, name in enumerate(model().states):
        health = start[:, i]
        start[:, i] = np.where(health > 0.0, health * RAISED.get(name, 1.5), REACHED.get(name, 0.6))
    start *= scatter
    start[:, model().states.index("VENT")] = np.minimum(start[:, model().states.index("VENT")], 1.0)
    return people, start


def everything(states: Values, parameters: Values) -> Values:
    s = system()
    return np.stack(evaluate(s.graph, [*s.rates, *s.laws], states, parameters, sources(parameters)), -1)


@pytest.mark.parametrize("switch", SWITCHED)
def test_a_switch_changes_the_rates_that_it_should_and_no_other(
    ill: tuple[Subjects, Values], switch: str
) -> None:
    people, states = ill
    on, off = (
        everything(states, group.parameters) for group in (people, people.with_values(**{switch: 0.0}))
    )
    differs = (np.abs(off - on) > 1e-12 * np.abs(on).max(0)).any(0)
    changed = {name for name, d in zip(model().states, differs, strict=False) if d}
    assert changed == set(SWITCHED[switch].split())


def test_stiff_scars_show_in_the_mechanics_alone(ill: tuple[Subjects, Values]) -> None:
    people, states = ill
    names = [*model().states, *system().observables]
    on, off = (
        everything(states, group.parameters) for group in (people, people.with_values(collagen_stiffness=0.0))
    )
    changed = {name for name, d in zip(names, (on != off).any(0), strict=True) if d}
    assert {"compliance", "driving_pressure", "oxygenation_index"} <= changed
    assert not changed & {"pf_ratio", "dead_space", "sofa", "evlw"}


OUTPUTS = (
    "pf_ratio",
    "il6",
    "il8",
    "crp",
    "evlw",
    "VIR",
    "BAC",
    "AB",
    "neutrophil_count",
    "lymphocyte_count",
    "ddimer",
    "NEU",
    "IL10",
    "HAZ",
    "COL",
    "M1",
    "M2",
    "THR",
    "IL6",
    "TNF",
    "compliance",
    "SURF",
)
DAYS = 30
SAME = (0.95, 1.05)
MOST, LEAST, END = "most", "least", "end"
# What is switched off -> what of a course changes by how much: median over subjects of the ratio, without to
# with it, of an output's largest or smallest value, or of its value after a month; 1 where it persists.
KNOCKED_OUT = {
    ("covid19-ards", "tnf_weight il1_weight"): {  # the autocrine part amplifies and does not sustain
        (MOST, "il6"): (0.3, 0.97),
        (MOST, "M1"): (0.5, 0.99),
        (MOST, "VIR"): SAME,
    },
    ("covid19-ards", "virus_weight bacteria_weight"): {
        (MOST, "il6"): (0.0, 0.5),
        (MOST, "M1"): (0.0, 0.4),
        (MOST, "NEU"): (0.0, 0.3),
        (MOST, "VIR"): SAME,
    },
    ("covid19-ards", "il10_brake"): {(MOST, "il6"): (1.1, 4.0), (MOST, "TNF"): (1.1, 4.0)},
    ("covid19-ards", "neutrophil_influx"): {  # inflammation persists without neutrophils, injury falls
        (MOST, "NEU"): (0.0, 0.1),
        (LEAST, "pf_ratio"): (1.02, 3.0),
        (MOST, "IL6"): (0.7, 1.6),
    },
    ("covid19-ards", "make_AB hold_AB"): {(MOST, "AB"): (0.0, 0.0), (END, "VIR"): (100.0, np.inf)},
    ("covid19-ards", "kill_CD8"): {(END, "VIR"): (1.2, 1e3), (MOST, "AB"): (0.9, 1.2)},
    ("covid19-ards", "interferon_production"): {(MOST, "VIR"): (2.0, 100.0), (END, "AB"): (0.8, 2.0)},
    ("covid19-ards", "permeability_gain"): {
        (MOST, "evlw"): (0.0, 0.85),
        (MOST, "il6"): (0.3, 0.95),
        (MOST, "VIR"): SAME,
    },
    ("covid19-ards", "make_THR"): {
        (MOST, "ddimer"): (0.0, 0.7),
        (MOST, "THR"): (0.0, 0.0),
        (MOST, "VIR"): SAME,
    },
    ("covid19-ards", "fibroblast_activation"): {
        (MOST, "COL"): (0.0, 0.0),
        (LEAST, "pf_ratio"): SAME,
        (MOST, "M2"): SAME,
    },
    ("covid19-ards", "marrow_il6 marrow_il17 marrow_demand release_il6 release_endotoxin"): {
        (MOST, "neutrophil_count"): (0.3, 0.9),
        (MOST, "VIR"): SAME,
    },
    ("covid19-ards", "lymphopenia_ifn lymphopenia_il6 lymphopenia_organ"): {
        (LEAST, "lymphocyte_count"): (1.2, 10.0),
        (LEAST, "pf_ratio"): SAME,
    },
    ("covid19-ards", "vasoconstriction"): {(LEAST, "pf_ratio"): (0.2, 0.9), (MOST, "VIR"): SAME},
    ("covid19-ards", "surf_inactivation"): {(LEAST, "SURF"): (1.002, 5.0), (LEAST, "pf_ratio"): (1.0, 2.0)},
    ("covid19-ards", "collagen_stiffness"): {(LEAST, "compliance"): (1.01, 2.0), (LEAST, "pf_ratio"): SAME},
    ("covid19-ards", "spill_IL6"): {(MOST, "il6"): (0.0, 0.7), (MOST, "IL6"): (0.8, 1.1)},
    ("covid19-ards", "k_efferocytosis"): {(MOST, "il6"): (1.02, 4.0), (MOST, "VIR"): SAME},
    ("pneumonia", "kill_macrophage"): {(MOST, "BAC"): (5.0, np.inf), (LEAST, "pf_ratio"): (0.1, 0.9)},
    ("pneumonia", "bacteria_weight"): {(MOST, "il6"): (0.0, 0.5), (MOST, "BAC"): (1.0, 20.0)},
    ("pneumonia", "permeability_gain"): {(MOST, "evlw"): (0.0, 0.99), (MOST, "BAC"): SAME},
    ("pneumonia", "kill_CD8 kill_NK neutralise neutralisation interferon_production"): {
        (MOST, "BAC"): SAME,
        (LEAST, "pf_ratio"): SAME,
        (MOST, "il6"): SAME,
    },
    ("covid19-ards", "kill_macrophage kill_neutrophil kill_antibiotic opsonin"): {
        (MOST, "VIR"): SAME,
        (LEAST, "pf_ratio"): SAME,
        (MOST, "il6"): SAME,
    },
}
OF_COURSE = {MOST: lambda v: v.max(1), LEAST: lambda v: v.min(1), END: lambda v: v[:, -1]}


@cache
def untouched(disease: str) -> tuple[Subjects, Mapping[str, Values]]:
    """Typical subjects without the second infections of the ventilated, and their courses."""
    people = subjects(disease, 120, seed=83, uncertain=False).with_values(inoculation=0.0)
    return people, course(people, DAYS, outputs=OUTPUTS)


@pytest.mark.parametrize("case", KNOCKED_OUT, ids=lambda case: " without ".join(case))
def test_a_knock_out_has_its_size_and_the_rest_persists(case: tuple[str, str]) -> None:
    disease, switches = case
    people, run = untouched(disease)
    off = people.with_values(**dict.fromkeys(switches.split(), 0.0))
    without = course(off, DAYS, outputs=sorted({name for _, name in KNOCKED_OUT[case]}))
    for (what, name), (low, high) in KNOCKED_OUT[case].items():
        change = float(np.median(OF_COURSE[what](without[name]) / OF_COURSE[what](run[name])))
        assert low <= change <= high, f"{what} {name}: {change:.3g}"


def test_virus_is_cleared_by_antibody_when_cytotoxic_cells_are_gone() -> None:
    people = untouched("covid19-ards")[0].with_values(kill_CD8=0.0, kill_NK=0.0)
    run = course(people, 60, outputs=["VIR"])
    assert np.median(run["VIR"].max(1)) > 0.1
    assert (run["VIR"][:, -1] < people.column("VIR_extinct")).mean() > 0.95


def test_endotoxin_acts_from_the_blood_and_without_the_lung() -> None:
    people = subjects("healthy", 20, seed=85, uncertain=False).with_dose("LPS", 2.0, 0.0)
    outputs = ["tnf", "il6", "il10", "TNF", "NEU", "pf_ratio", "neutrophil_count"]
    run = course(people, 2, every=1 / 48, outputs=outputs)
    hours = run["time"]
    peak = {name: np.median(hours[run[name].argmax(1)]) for name in ("tnf", "il6", "il10")}
    assert 1.0 <= peak["tnf"] <= peak["il6"] <= 4.0
    assert (run["tnf"].max(1) > 15.0 * run["tnf"][:, 0]).all()
    assert (run["TNF"].max(1) < 1.05 * run["TNF"][:, 0]).all()
    assert (run["pf_ratio"].min(1) > 0.8 * run["pf_ratio"][:, 0]).all()
    lasting = course(people.with_values(tolerance=0.0), 2, every=1 / 48, outputs=["tnf"])["tnf"]
    assert np.median(np.trapezoid(lasting) / np.trapezoid(run["tnf"])) > 1.1
    none = course(people.with_values(systemic_gain=0.0), 2, every=1 / 48, outputs=["tnf"])["tnf"]
    assert np.abs(none / none[:, :1] - 1.0).max() < 1e-6
