"""The Rosenbrock method and the rule for the next step, as numbers.

Rodas5P: eight stages, order 5 with an embedded order 4, stiffly accurate, L-stable, and without the loss of
order that stiff relaxation causes in its predecessors. G. Steinebach, Construction of Rosenbrock-Wanner
method Rodas5P and numerical benchmarks within the Julia Differential Equations package, BIT Numerical
Mathematics 63 (2023) 27, with the coefficients in the form that needs no product with the Jacobian (E.
Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, 1996, section IV.7).
"""

from __future__ import annotations

GAMMA = 0.21193756319429014
# Stage s is solved at y + sum A[s][k] u[k], with sum C[s][k] u[k] / h added to the rate there. A stage
# without a row in A lies one earlier stage further than the one before it.
A: tuple[tuple[float, ...], ...] = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
)
C: tuple[tuple[float, ...], ...] = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)
# Stage times as parts of a step, and the weights of h df/dt.
STAGE_TIME = (
    0.0,
    0.6358126895828704,
    0.4095798393397535,
    0.9769306725060716,
    0.4288403609558664,
    1.0,
    1.0,
    1.0,
)
DRIFT = (
    0.21193756319429014,
    -0.42387512638858027,
    -0.3384627126235924,
    1.8046452872882734,
    2.325825639765069,
    0.0,
    0.0,
    0.0,
)
# The continuous extension, of order 4: at part x of a step from y to z the state is
# (1-x) y + x (z + (1-x) (D0 + x (D1 + x D2))), with Dr = sum DENSE[r][k] u[k].
DENSE = (
    (
        25.948786856663858,
        -2.5579724845846235,
        10.433815404888879,
        -2.3679251022685204,
        0.524948541321073,
        1.1241088310450404,
        0.4272876194431874,
        -0.17202221070155493,
    ),
    (
        -9.91568850695171,
        -0.9689944594115154,
        3.0438037242978453,
        -24.495224566215796,
        20.176138334709044,
        15.98066361424651,
        -6.789040303419874,
        -6.710236069923372,
    ),
    (
        11.419903575922262,
        2.8879645146136994,
        72.92137995996029,
        80.12511834622643,
        -52.072871366152654,
        -59.78993625266729,
        -0.15582684282751913,
        4.883087185713722,
    ),
)
STAGES = 8
# The error estimate, the last stage, falls with this power of the step.
ORDER_OF_ESTIMATE = 5

# What a step may err, root mean square over states, as a part of the tolerance. Outputs inside steps have no
# steps of their own, which used to make them more accurate than was asked for; this makes up for it.
PERMITTED = 0.33
# The step aims at a little less than the permitted error and changes by no more than these factors.
SAFETY = 0.9
SHRINK = 5.0
GROW = 10.0
# A first step moves the state by about this part of itself, and is no less than this part of the way to the
# next event. Without an event that way is one unit of time, or the last step where it was longer.
FIRST_MOVE = 0.05
FIRST_PART = 1e-9
FIRST_LONGEST = 1.0
# A step below this part of the time (of the last output, early on) means that the subject cannot be solved.
SMALLEST_PART = 1e-14
# A state nearer to zero than this is zero: what has died away for good would otherwise end in numbers so
# small that a processor takes a hundred times as long over each.
SMALLEST_STATE = 1e-150
# Turns of the search for the place in a step where a threshold is met, and how far beyond it the step that is
# taken again aims, as a part of the tolerance.
SEARCHES = 8
AIM = 0.5
