"""exp, log and pow for vectors, in plain operations: no mathematical library, so the same bits on every
machine.

exp and log stay within 2 units in the last place, pow within 4, over all doubles with subnormal numbers. The
method is the usual one (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980): a power
of two is taken out exactly, and a polynomial serves what remains. pow carries its logarithm in two doubles
(T. J. Dekker, Numerische Mathematik 18, 1971). The polynomials are interpolations at Chebyshev nodes,
computed with 60 digits.
"""

from __future__ import annotations

import math

from mesolung.engine.ir import Function, number, whole

_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest whole number in the low bits.
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_LN2_HIGH = float.fromhex("0x1.62e42fefa2000p-1")  # 40 bits, so that its product with an exponent is exact.
_LN2_LOW = float.fromhex("0x1.9ef35793c7673p-41")
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_ONE_BITS = 0x3FF0000000000000

# exp(r) = 1 + r + r^2 (E0 + E1 r + ...) for |r| <= ln(2)/2; relative error 2e-17.
_EXP = [
    float.fromhex(c)
    for c in (
        "0x1.0000000000001p-1",
        "0x1.5555555555556p-3",
        "0x1.5555555553b6cp-5",
        "0x1.1111111110918p-7",
        "0x1.6c16c1794e1dcp-10",
        "0x1.a01a01a83ba17p-13",
        "0x1.a019b621f9d08p-16",
        "0x1.71de0be2b5e96p-19",
        "0x1.2894f52583578p-22",
        "0x1.af3ce42b12b24p-26",
    )
]
# log((1+s)/(1-s)) = 2s + s z (L0 + L1 z + ...), z = s^2, for |s| <= 3 - 2 sqrt(2); relative error 6e-18.
_LOG = [
    float.fromhex(c)
    for c in (
        "0x1.5555555555558p-1",
        "0x1.99999999949c3p-2",
        "0x1.2492492ef134dp-2",
        "0x1.c71c61a265960p-3",
        "0x1.74630fb47b087p-3",
        "0x1.39f2ac8e848c3p-3",
        "0x1.2be78035f90e7p-3",
    )
]
# The same series with 2/3 in two doubles: 2s + s z (2/3 + z (P0 + P1 z + ...)); relative error 1e-20.
_TWO_THIRDS = (float.fromhex("0x1.5555555555555p-1"), float.fromhex("0x1.5555555555555p-55"))
_LOG_LONG = [
    float.fromhex(c)
    for c in (
        "0x1.999999999999ap-2",
        "0x1.2492492492537p-2",
        "0x1.c71c71c6e4391p-3",
        "0x1.745d178033a82p-3",
        "0x1.3b13938011a7bp-3",
        "0x1.111944d627bccp-3",
        "0x1.df62e7cac7b35p-4",
        "0x1.e13a606d12815p-4",
    )
]


def mathematics() -> str:
    """Write the functions ``@lane_exp`` and ``@lane_log`` of vectors, and pow in two.

    Returns:
        IR text. exp(-inf) = 0, exp(inf) = inf; log(0) = -inf, log of a negative number is NaN; pow(x, y) is
        ``@lane_power_of_log`` of ``@lane_log_of_power(x)``, x and y. pow(0, y) is 0, 1 or inf for y > 0, y =
        0, y < 0, a negative base gives NaN for every y, and pow(x, 0) = 1 for x >= 0; NaN in, NaN out.
    """
    return _exp() + _log() + _log_of_power() + _power_of_log()


def _polynomial(f: Function, x: str, coefficients: list[float]) -> str:
    """c0 + c1 x + ... in pairs, so that the processor can work on several at once."""
    terms = [number(c) for c in coefficients]
    while len(terms) > 1:
        pairs = [f.fma(terms[i + 1], x, terms[i]) for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[len(pairs) * 2 :]
        if len(terms) > 1:
            x = f.op("fmul", x, x)
    return terms[0]


def _exponential(f: Function, x: str, low: str | None) -> str:
    """exp(x + low) for x in the range where the result is neither 0 nor inf by a wide margin, or NaN."""
    shifted = f.fma(x, number(_LOG2_E), number(_MAGIC))
    k = f.op("fsub", shifted, number(_MAGIC))
    minus_k = f.negative(k)
    r = f.fma(minus_k, number(_LN2_LOW), f.fma(minus_k, number(_LN2_HIGH), x))
    if low is not None:
        r = f.op("fadd", r, low)
    square = f.op("fmul", r, r)
    grown = f.op("fadd", f.fma(_polynomial(f, r, _EXP), square, r), number(1.0))
    bits = f.op("sub", f.cast(shifted, "$V", "$I"), f.cast(number(_MAGIC), "$V", "$I"), "$I")
    # In two halves, so that a subnormal result is rounded once and an overflow becomes inf.
    half = f.op("sub", f.op("lshr", f.op("add", bits, whole(4096), "$I"), whole(1), "$I"), whole(2048), "$I")
    rest = f.op("sub", bits, half, "$I")
    for exponent in (half, rest):
        biased = f.op("shl", f.op("add", exponent, whole(1023), "$I"), whole(52), "$I")
        grown = f.op("fmul", grown, f.cast(biased, "$I", "$V"))
    return grown


def _exp() -> str:
    f = Function("lane_exp", "$V %x", "$V")
    x = f.select(f.compare("ogt", "%x", number(720.0)), number(720.0), "%x")
    x = f.select(f.compare("olt", x, number(-760.0)), number(-760.0), x)
    f.line(f"ret $V {_exponential(f, x, None)}")
    return f.text()


def _split(f: Function, x: str) -> tuple[str, str]:
    """x = 2^k m with m between sqrt(1/2) and sqrt(2): k and m - 1, both exact."""
    small = f.compare("olt", x, number(2.0**-1022))
    raised = f.select(small, f.op("fmul", x, number(2.0**54)), x)
    shift = f.select(small, number(2.0**52 + 1023 + 54), number(2.0**52 + 1023))
    bits = f.op("add", f.cast(raised, "$V", "$I"), whole(_ONE_BITS - _SQRT_HALF_BITS), "$I")
    # The exponent as a double: put it into the low bits of 2^52, and take 2^52 and the bias away.
    high = f.op("lshr", bits, whole(52), "$I")
    k = f.op("fsub", f.cast(f.op("or", high, whole(0x4330000000000000), "$I"), "$I", "$V"), shift)
    low = f.op("add", f.op("and", bits, whole((1 << 52) - 1), "$I"), whole(_SQRT_HALF_BITS), "$I")
    return k, f.op("fsub", f.cast(low, "$I", "$V"), number(1.0))


def _log() -> str:
    f = Function("lane_log", "$V %x", "$V")
    k, m1 = _split(f, "%x")
    s = f.op("fdiv", m1, f.op("fadd", m1, number(2.0)))
    z = f.op("fmul", s, s)
    # 2s + s z P = (m-1) - s ((m-1) - z P): the leading term is exact.
    inner = f.fma(f.negative(z), _polynomial(f, z, _LOG), m1)
    small = f.fma(k, number(_LN2_LOW), f.negative(f.op("fmul", s, inner)))
    total = f.fma(k, number(_LN2_HIGH), f.op("fadd", m1, small))
    total = f.select(f.compare("oeq", "%x", number(math.inf)), number(math.inf), total)
    total = f.select(f.compare("oeq", "%x", number(0.0)), number(-math.inf), total)
    total = f.select(f.compare("ult", "%x", number(0.0)), number(math.nan), total)
    f.line(f"ret $V {total}")
    return f.text()


def _long_log(f: Function, x: str) -> tuple[str, str]:
    """log(x) for finite x > 0 as the sum of two doubles, to about 2^-64."""
    k, m1 = _split(f, x)
    d = f.op("fadd", m1, number(2.0))
    d_low = f.op("fsub", m1, f.op("fsub", d, number(2.0)))
    inverse = f.op("fdiv", number(1.0), d)
    s = f.op("fmul", m1, inverse)
    minus_s = f.negative(s)
    s_low = f.op("fmul", f.fma(minus_s, d_low, f.fma(minus_s, d, m1)), inverse)
    z = f.op("fmul", s, s)
    s_twice = f.op("fadd", s, s)
    z_low = f.fma(s_twice, s_low, f.fma(s, s, f.negative(z)))
    w = f.op("fmul", z, _polynomial(f, z, _LOG_LONG))
    third, third_low = (number(c) for c in _TWO_THIRDS)
    p = f.op("fadd", third, w)
    p_low = f.op("fadd", f.op("fadd", f.op("fsub", third, p), w), third_low)
    t, t_low = _long_product(f, z, z_low, p, p_low)
    u, u_low = _long_product(f, s, s_low, t, t_low)
    a = f.op("fmul", k, number(_LN2_HIGH))
    first = f.op("fadd", a, s_twice)
    first_low = f.op("fsub", s_twice, f.op("fsub", first, a))
    second = f.op("fadd", first, u)
    second_low = f.op("fsub", u, f.op("fsub", second, first))
    low = f.fma(k, number(_LN2_LOW), f.fma(s_low, number(2.0), u_low))
    low = f.op("fadd", f.op("fadd", first_low, second_low), low)
    high = f.op("fadd", second, low)
    return high, f.op("fsub", low, f.op("fsub", high, second))


def _long_product(f: Function, a: str, a_low: str, b: str, b_low: str) -> tuple[str, str]:
    high = f.op("fmul", a, b)
    low = f.fma(a, b, f.negative(high))
    return high, f.fma(a_low, b, f.fma(a, b_low, low))


def _log_of_power() -> str:
    """The part of pow that depends on the base alone, so that several powers of one base share it."""
    f = Function("lane_log_of_power", "$V %x", "{ $V, $V }")
    high, low = _long_log(f, "%x")
    pair = f.value(f"insertvalue {{ $V, $V }} poison, $V {high}, 0")
    f.line(f"ret {{ $V, $V }} {f.value(f'insertvalue {{ $V, $V }} {pair}, $V {low}, 1')}")
    return f.text()


def _power_of_log() -> str:
    f = Function("lane_power_of_log", "$V %high, $V %low, $V %x, $V %y", "$V")
    p = f.op("fmul", "%y", "%high")
    p_low = f.fma("%y", "%low", f.fma("%y", "%high", f.negative(p)))
    over = f.compare("ogt", p, number(720.0))
    under = f.compare("olt", p, number(-760.0))
    p = f.select(under, number(-760.0), f.select(over, number(720.0), p))
    beyond = f.op("or", over, under, "$M")
    p_low = f.select(beyond, number(0.0), p_low)
    total = _exponential(f, p, p_low)
    # Bases and exponents without a logarithm or product of their own.
    up, down = f.compare("ogt", "%y", number(0.0)), f.compare("olt", "%y", number(0.0))
    one = number(1.0)
    of_zero = f.select(up, number(0.0), f.select(down, number(math.inf), one))
    of_inf = f.select(up, number(math.inf), f.select(down, number(0.0), one))
    total = f.select(f.compare("oeq", "%x", number(0.0)), of_zero, total)
    total = f.select(f.compare("oeq", "%x", number(math.inf)), of_inf, total)
    plain = f.op("or", f.compare("oeq", "%x", one), f.compare("oeq", "%y", number(0.0)), "$M")
    total = f.select(plain, one, total)
    wrong = f.op("or", f.compare("ult", "%x", number(0.0)), f.compare("uno", "%y", "%y"), "$M")
    f.line(f"ret $V {f.select(wrong, number(math.nan), total)}")
    return f.text()
