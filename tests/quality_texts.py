"""Small quality files of the usual layouts, made up for the tests: nobody measured what they say."""

from __future__ import annotations

POPULATIONS = """lot,population,parent,% of parent,count,MFI
S-1,Viability,singlets,96.5,4825,
S-1,CD73+,viable,99.1,4781,15200
S-1,CD90+,viable,98.7,4762,18100
S-1,CD45+,viable,<0.5,,
S-2,CD73+,viable,ND,,
S-2,CD34+,viable,NA,,
"""
WIDE = """\tCells/Live/CD73+ | Freq. of Parent\tCells/Live/CD73+ | Count\tCells/Live | Freq. of Parent
S-1.fcs\t99,1\t4781\t96,5
S-2.fcs\t98,4\t3900\t91,0
Mean\t98,75\t4340,5\t93,75
"""
COUNTS = """Sample,Viability (%),Total cells/mL (x10^6/mL),Viable cells/mL (x10^6/mL),Dilution factor,Method
S-1,96.4,1.25,1.205,2,AO/DAPI
S-2,71.8,0.88,0.632,2,trypan blue
"""
GRID = "Plate 1\n,1,2,3,4,5,6,7,8,9,10,11,12\n" + "\n".join(
    f"{letter}," + ",".join(f"{0.1 * (row + 1) + 0.01 * column:.2f}" for column in range(12))
    for row, letter in enumerate("ABCDEFGH")
)
LONG = "Well,Role,Sample,Concentration (ng/mL),OD450\n" + "\n".join(
    f"{letter}{column},standard,,{dose},{0.1 + 2.4 / (1 + (30 / dose) ** 1.2 if dose else 1e9):.4f}"
    for column in (1, 2)
    for letter, dose in zip("ABCDEFGH", (0, 1, 3, 10, 30, 100, 300, 1000), strict=True)
)
LONG += "\nA3,sample,lot S-1,,1.20\nB3,sample,lot S-1,,1.24\nC3,sample,lot S-2,,OVRFLW\nD3,blank,,,0.09\n"
MARKERS = """ref_number,Phase,patient,notes,marker,value
1,I,patient 1,FC,Viability,95.5
1,I,patient 2,FC,Viability,97.5
1,I,patient 1,FC,CD73,99.0
1,I,patient 2,FC,CD73,NA
"""


def nanosight(captures: int = 3, dilution: str = "1.00e+03") -> str:
    """A made-up summary of NTA 3.4 with the layout of real ones."""
    names = ",".join(f"made_up_{i:02d}" for i in range(captures))
    rows = [
        "NTA Experiment Summary File,",
        "Created with NTA 3.4 Build 3.4.003,",
        ",",
        "[Experiment Details],,",
        "Experiment Name,made up,",
        f"Filename:,{names},",
        "[Results],,,,Average,Standard Error,",
        "Dilution factor (concentrations adjusted for this factor),"
        + ",".join([dilution] * captures)
        + ",,,",
        "Concentration (Particles / ml)," + ",".join(["3.00e+10"] * captures) + ",3.00e+10,1.0e+08,",
        "[Concentration Warnings]",
        "Noise level," + ",".join(["No"] * captures) + ",",
        "Brightness," + ",".join(["OK"] * (captures - 1)) + ",Too bright,",
        "[Size Data],,",
        f"Filename,{names},Average,Standard Error,",
        "Mean," + ",".join(["120.0"] * captures) + ",120.0,0.5,",
        "Mode," + ",".join(["110.0"] * captures) + ",110.0,0.5,",
        "Valid Tracks," + ",".join(["1800.0"] * captures) + ",,,",
        "Graph Data,",
        "Bin centre (nm),"
        + ",".join(["Concentration (particles / ml)"] * captures)
        + ",Concentration average,",
    ]
    for size, value in ((99.5, 1e10), (119.5, 1.5e10), (139.5, 0.5e10)):
        rows.append(f"{size}," + ",".join([f"{value:.2e}"] * captures) + f",{value:.2e},0,")
    rows += [
        "",
        "Percentile," + ",".join(["Size (nm)"] * captures) + ",",
        "50," + ",".join(["119.0"] * captures) + ",",
    ]
    return "\r\n".join(rows) + "\r\n"


def zetaview(failed: bool = False) -> str:
    """A made-up ZetaView text with the layout of real ones; a failed run has no table."""
    head = [
        "ZetaView S/N 00-000, SOFTWARE ZetaView (version 8.05.14 SP7), CAMERA 0.703 µm/px",
        "Sample:\tmade up",
        "Conductivity: 53.0\tsensed",
        "Temperature:\t24.1\tsensed",
        "Detected Particles:\t" + ("0" if failed else "152"),
        "Particle Drift Check Result:\t" + ("FAIL" if failed else "Good"),
        "Cell Check Result:\tVery Good",
        f"Number of Traces: {0 if failed else 812}\tDilution::\t500",
        "",
    ]
    if failed:
        return "\n".join(head)
    table = ["Size / nm\tNumber\tConcentration / cm-3\tVolume / nm^3\tArea / nm^2"]
    for size, number, per_ml in ((75.0, 100, 1e6), (105.0, 300, 3e6), (135.0, 400, 4e6), (225.0, 12, 1.2e5)):
        table.append(f"{size:.4E}\t{number:.4E}\t{per_ml:.4E}\t{size**3:.4E}\t{size**2:.4E}")
    end = ["-1.000E+0\t-1.000E+0\t-1.000E+0\t-1.000E+0\t-1.000E+0", "75\t100\t1e6\t1\t1", ""]
    return "\n".join([*head, *table, *end])


GATES = """<?xml version="1.0" encoding="UTF-8"?>
<gating:Gating-ML xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating"
 xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
 xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">
 <transforms:transformation transforms:id="scale">
  <transforms:logicle transforms:T="262144" transforms:W="0.5" transforms:M="4.5" transforms:A="0"/>
 </transforms:transformation>
 <gating:RectangleGate gating:id="large">
  <gating:dimension gating:compensation-ref="uncompensated" gating:min="40000">
   <data-type:fcs-dimension data-type:name="FSC-A"/>
  </gating:dimension>
 </gating:RectangleGate>
 <gating:PolygonGate gating:id="shape" gating:parent_id="large">
  <gating:dimension gating:compensation-ref="uncompensated">
   <data-type:fcs-dimension data-type:name="FSC-A"/>
  </gating:dimension>
  <gating:dimension gating:compensation-ref="uncompensated">
   <data-type:fcs-dimension data-type:name="SSC-A"/>
  </gating:dimension>
  <gating:vertex>
   <gating:coordinate data-type:value="0"/>
   <gating:coordinate data-type:value="0"/>
  </gating:vertex>
  <gating:vertex>
   <gating:coordinate data-type:value="300000"/>
   <gating:coordinate data-type:value="0"/>
  </gating:vertex>
  <gating:vertex>
   <gating:coordinate data-type:value="0"/>
   <gating:coordinate data-type:value="300000"/>
  </gating:vertex>
 </gating:PolygonGate>
 <gating:EllipsoidGate gating:id="round">
  <gating:dimension gating:compensation-ref="uncompensated">
   <data-type:fcs-dimension data-type:name="FSC-A"/>
  </gating:dimension>
  <gating:dimension gating:compensation-ref="uncompensated">
   <data-type:fcs-dimension data-type:name="SSC-A"/>
  </gating:dimension>
  <gating:mean>
   <gating:coordinate data-type:value="84000"/>
   <gating:coordinate data-type:value="45000"/>
  </gating:mean>
  <gating:covarianceMatrix>
   <gating:row>
   <gating:entry data-type:value="1e8"/>
   <gating:entry data-type:value="0"/>
  </gating:row>
   <gating:row>
   <gating:entry data-type:value="0"/>
   <gating:entry data-type:value="1e8"/>
  </gating:row>
  </gating:covarianceMatrix>
  <gating:distanceSquare data-type:value="4"/>
 </gating:EllipsoidGate>
 <gating:RectangleGate gating:id="CD73" gating:parent_id="shape">
  <gating:dimension gating:compensation-ref="FCS" gating:transformation-ref="scale" gating:min="0.5">
   <data-type:fcs-dimension data-type:name="PE-A"/>
  </gating:dimension>
 </gating:RectangleGate>
 <gating:BooleanGate gating:id="neither">
  <gating:not><gating:gateReference gating:ref="large"/></gating:not>
 </gating:BooleanGate>
 <gating:BooleanGate gating:id="both">
  <gating:and><gating:gateReference gating:ref="CD73"/><gating:gateReference gating:ref="round"/></gating:and>
 </gating:BooleanGate>
</gating:Gating-ML>
"""
