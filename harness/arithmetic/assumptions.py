"""Every number that is not a theorem, each with its reason. No other module holds a tolerance.

u is the unit roundoff of a dtype: half the distance from 1 to the next larger number.
"""

from __future__ import annotations

from fractions import Fraction

UNIT_ROUNDOFF: dict[str, Fraction] = {
    "float64": Fraction(1, 2**53),
    "float32": Fraction(1, 2**24),
    "float16": Fraction(1, 2**11),
    "bfloat16": Fraction(1, 2**8),
}
"""By definition of the formats, for rounding to nearest (IEEE 754; bfloat16 has 8 bits of significand)."""

UNDERFLOW: dict[str, Fraction] = {
    "float64": Fraction(1, 2**1022),
    "float32": Fraction(1, 2**126),
    "float16": Fraction(1, 2**25),
    "bfloat16": Fraction(1, 2**126),
}
"""The smallest normal number: an operation whose result is smaller may be off by that much, since kernels are
allowed to flush subnormal numbers to zero, and 1/(1+exp(-x)) gives 0 where exp overflows. In float16, whose subnormal
numbers are of everyday size, kernels keep them: what is lost there is half their spacing."""

TF32_OPERANDS = Fraction(1, 2**10)
"""How far TF32 shortens an operand: it keeps 10 bits, and some units cut off instead of rounding."""

SPLIT_TF32_OPERANDS = Fraction(1, 2**21)
"""How far three TF32 products (Triton's tf32x3) shorten an operand: each is split into two TF32 numbers, rounded to 11
bits (cvt.rna in the compiled code), which leaves 2^-22 of it; the product of the two small parts, 2^-22 of the whole,
is left out: together less than 2^-21 for each of the two operands."""

APPROXIMATE_FUNCTIONS = Fraction(1, 2**10)
"""How far an approximate tanh or sigmoid may be off, relatively: the hardware's tanh is within 2^-10.987."""

PARTLY_COARSE_BITS = 6
"""How many more bits than a format has a result may show where a part of it alone was computed in that format: that
part then is 1/64 of the result. What is more precise is not what the format gives."""

COARSE_CONTROL_BITS = 3
"""How many bits less than the same equations in a format a result may show which was computed in that format: other
orders of summing, and errors that happen to cancel in one of the two."""

LAYER_NORM_EPSILON = Fraction(1, 100_000)
"""What layer normalisation adds to the variance: torch, Keras (1e-3 there) and flax (1e-6) each choose a number; a spec
means torch's. It is no tolerance: an implementation with another number is another function."""

FUNCTION_ROUNDINGS = 8
"""sigmoid, tanh, log, exp and softplus are assumed to be within this many u of the true value, relatively. Measured
maxima over 10^5 arguments, also near 0 and in the tails (a test repeats the measurement): NumPy's sigmoid 4.2 u, log
3.6, exp 3.3, tanh 1.8; torch's at most 2.3, compiled or not; 8 leaves room for the 4 ulp (8 u) that vector libraries
promise for their fastest correct versions, and for tanh in float64, of which JAX's was 6.9 u off, and onnxruntime's
7.4. It does not hold of a sigmoid by exp2, as Triton computes exp, whose
argument is rounded: 8 u at -7, 63 u at -79 in float32, but within ABSOLUTE_FUNCTION_ROUNDINGS of 1."""

SOFTPLUS_END = 20
"""Beyond this argument torch's softplus is its argument, and its slope 1 (the default `threshold` of
torch.nn.functional.softplus): both are off by less than exp(-argument) there, which is 9.3 10^5 u of the value and
1.9 10^7 u of the slope in float64, and nothing in float32 (a test measures it). A fact of torch, and no fault of who
uses it: bounds of a softplus are that much wider beyond, and those of a sigmoid are not."""

ABSOLUTE_FUNCTION_ROUNDINGS = 4
"""What a library that clips the arguments of its functions promises besides: so many u of 1, not of the value. Measured
for onnxruntime's float32 over 2 10^4 arguments up to 30 in size: sigmoid 2.7 u of 1 (and 5 10^7 u of its own value,
where it is nearly 0), tanh 4.0 u of its value. The same holds of a function that is put together out of others: beyond
the 8 u of its value, 2 sigmoid(2a) - 1, its like by exp, and (1 + tanh(a/2)) / 2 were at most 2.1 u of 1 off in float64
and float32 (a test repeats the measurement)."""

COMPOSED_SLOPE_ROUNDINGS = 2
"""As how many roundings each operation of a backward counts where functions are put together out of others: autograd
then takes the slope through all of their parts. Measured: where tanh is nearly 0, at most 4.2 u of 1; 1 - tanh^2 and
its product with what comes from behind, of 2 roundings each, make it 6 (a test repeats the measurement)."""

MANY_BITS = 16
"""Outputs with so many bits right are imprecise where they are wrong: what is wrong in a formula shows in the first
digits of generic numbers."""

NOISE_SHARE = 8
"""Rounding errors change by at least this part of themselves where numbers change by a few roundings of the format
that made them; errors of a formula change by as little as the numbers."""

UPWARD = 1 + 2.0**-24
"""Radii that are computed in float64 are enlarged by this factor after each operation: far more than the 2^28 roundings
of 2^-53 that the largest sums make, and than the few of 2^-30 by which Arb's own radii are rounded upward; a thousand
operations in a row make a bound 1.00006 times as wide. `array_ball.py` has the proof that uses it."""

WIDEST_IN_FLOAT64, WIDEST_IN_NARROWER_FORMATS = 2.5, 1.05
"""How many times as wide as Arb's a bound in arrays may be, at most: in theory 2, for the midpoints round as much as a
float64 subject may, and 1 + 2^-24 an operation; a test measures both on thousands of drawn programs and values."""

PROBABLE_DEVIATIONS = 11
"""How many times the root of the sum of squares a sum of rounding errors of mean zero may come to, before it is said
that its format does not explain it: that happens with a probability of 2 exp(-11^2 / 2) = 1.1 10^-26 a sum, 10^-12 in
a run of 9 10^13 sums, which no run comes near (`probable_sums.py` has the proof). Nothing is refuted by it."""

LINEAR_IN_STATES = 2.0**-30
"""A step counts as linear in its states if it is, for drawn numbers, up to this share of the sizes of its terms: far
above what float64 rounds, far below what a tanh or a sigmoid of a state makes of numbers of ordinary size."""

SMALL_FACTOR = 2.0**-6
"""The largest relative error of first order for which a bound is claimed: exp(x) - 1 - x is less than 2 x^2 there,
so that 1 + 2^-5 times the first order holds all orders."""

REFERENCE_BITS = 200
"""Precision of the true value: with at most a few thousand operations on numbers of moderate size, at least 180
bits stay right, far beyond float64's 53; balls carry the proof of it in any case."""

COMPLEX_STEP = 2.0**-300
"""The step: its square vanishes against 1 in every float format (no truncation error), itself it is far from
underflow even when multiplied by gradients of 1e-200."""

COMPLEX_STEP_FLOOR = 2.0**-36
"""How far a complex-step directional derivative may lie from the exact one, relative to the sum of |gradient x
direction|, before it counts as a difference: 1.5e-11. The tangent passes through as many roundings as the forward
(2^10 to 2^16 for the largest cases), each of at most 2^-53, so 2^-37 is their worst sum. It is a screen: what it lets
through is decided by the ball of the exact gradient."""

QUOTIENT_BITS = 60
"""Difference quotients of 200-bit values use h = 2^-60: the central quotient's error is h^2/6 times the third
derivative (about 2^-122), cancellation costs 60 of the 200 bits; both far below float64."""

QUOTIENT_FLOOR = Fraction(1, 2**100)
"""Difference quotient and exact gradient may differ by this much, relative to 1 + |gradient|: 2^20 times the
truncation error above, for third derivatives up to a million."""

ASSIGNMENT_STEP = 2.0**-17
"""Which gradient of a backward written by hand belongs to what is asked of central difference quotients in float64: a
step near the cube root of u leaves them about 33 right bits, and gradients of different things agree in none. Nothing
is refuted by it."""

GUARD_MARGIN = 16
"""A case counts as able to fail in a parameter only if that parameter moves the output by more than this many
bounds: a fault of 1/16 of its effect would then still be seen."""

NARROW_MARGIN = 1
"""In bfloat16 and float16 a parameter must move the output by more than the bound itself: a fault as large as its
effect would be seen. Finer faults are seen where the same kernel runs in float32; bounds of 8 bits cannot see them."""

SATURATION = Fraction(31, 32)
"""A gate this close to 0 or 1 (or a tanh to 1) passes so little gradient that a wrong backward would go unseen."""

LOOSE_BOUND = 100
"""A bound this many times wider than the largest error seen is reported as loose (design: a bound must bite)."""

SCREEN = 2.0**-26
"""While searching and shrinking, a difference between a subject and the float64 oracle counts from this share of
1 + |value| on: the square root of float64's u, far above what rounding does to a few hundred operations, and far
below what a wrong formula does to generic numbers. What is found is confirmed within the proved bound afterwards."""

SCREEN_SINGLE = 2.0**-12
"""The same for a candidate that takes float32 alone: the square root of float32's u."""

SCREEN_NEAR = 2.0**-7
"""The same in the search for a cell that a target differs from by a number near 1, such as a temperature of 1.0005:
what such a number does to arguments of ordinary size. That it is this cell with this number is confirmed afterwards, to
`FACT_MARGIN`."""

FADING = 1 / 64
"""Shrinking may not let a difference fade below this share of the first one: what is shown to a reader should be
plain to see, and a smaller difference is no simpler."""

STRUCTURAL: dict[str, float] = {"float64": 2.0**-20, "float32": 2.0**-8}
"""Without equations no rounding bound can be proved. Two runs of a target that should be equal count as different from
this share of the largest number on: 2^33 u in float64 and 2^16 u in float32, far above what another order of summing
does to the few hundred operations of a step, and far below what a wrong row, step, state or gate does to generic
numbers, which moves every digit."""

CONDITION_STEP: dict[str, float] = {"float64": 2.0**-44, "float32": 2.0**-13}
"""Where two runs do differ, every input, state and parameter is moved by about so much, relatively (2^9 u in
float64, 2^11 u in float32), to measure what the target makes of rounding: a chaotic recurrence makes a lot of it, and
activations that are rounded to 8 bits make a jump of it."""

CONDITION_MARGIN = 16
"""Runs that differ by less than so many times that change are not told apart: the direction of a rounding is not the
one that was measured, and a few steps round more often than the measurement moves."""

QUOTIENT_STEP: dict[str, float] = {"float64": 2.0**-13, "float32": 2.0**-6}
"""The larger of the two steps of a central difference quotient of the target itself: about the fourth root of u, where
the truncation (a sixth of its square times the third derivative: 2.5e-9 in float64) and the rounding (u divided by it:
1e-12) are both far below `STRUCTURAL`."""

QUOTIENT_TRUNCATION = 16
"""A quotient's truncation error is a third of the change that halving the step makes. A gradient may be off by so many
such changes: about 50 times the theory, which leaves room for what the two steps do not show."""

QUOTIENT_ROUNDINGS = 64
"""How many u of the sum of |cotangent x result| a difference of two runs may be off: each result has passed through
a few dozen roundings, which cancel less than entirely."""

JUMPS = 0.25
"""Where the mean slope over a long way differs from the mean of the slopes on it by this share, the function jumps
(rounded weights): it has no derivative that a gradient could be compared with."""

LITTLE_STEP: dict[str, float] = {"float64": 2.0**-36, "float32": 2.0**-12}
"""By how much the numbers of a target are moved to see whether it computes in a format: about the two thirds power of
u, far above what the format rounds, far below what bends a smooth function."""

LINEARITY = 2.0**-4
"""A step twice as long must change the results twice as much, up to this share. Rounding within the format is 2^-12 of
the change or less, a function that bends about the step itself; where the step is lost in rounding, the share is 1."""

ROUNDING_MARGINS = (1.0, 2.0, 4.0)
"""By how many times the rounding that was measured of it a target with coarse arithmetic inside may differ from the
cell that it is. Rounding to nearest was measured as it is; cutting off is twice that, with one sign, so that several
add up. Which parameter is which shows best with the smallest that succeeds, so all are tried."""

COARSEST = 0.5
"""Where rounding times the largest margin reaches this share of the largest result, nothing can be said."""

SAME_SCALE = 2.0**-20
"""How far apart the ratios of two tensors' entries may be that dropout scaled alike. Each ratio has passed through one
product and one division, a few u, where u of float32 is 2^-24; what nothing scaled alike differs by all of itself."""

FADED = 2.0**-4
"""The share of a parameter's influence in a small cell below which half of the size has made it fade. A fault that
begins at some size leaves all of it below that size."""

SMALLEST_NORMAL = 2.0**-1022
"""The smallest normal number of float64 (IEEE 754): what exp gives below it may be any part of itself off."""

RADIUS_UNDERFLOW = 2.0**-1070
"""What is added to a radius for what underflows in its midpoint: 2^4 times the smallest subnormal number of float64
(2^-1074), so that it holds what a few operations in a row lose there; `array_ball.py` has the proof that uses it."""

SPACING: dict[str, float] = {"float64": 2.0**-52, "float32": 2.0**-23}
"""The spacing of numbers at 1 (IEEE 754): twice the unit roundoff. A gradient below that share of another one changes
no digit of their sum."""

RATE_LAGS = (10, 100)
"""The lags between which the factor per step of a gradient is measured: from the ten steps of 003:411, where the first
transient is over, up to the longest task of the full plan. Beyond the second a state counts as long ago."""

NEGLIGIBLE_ROW = 2.0**-53
"""Rows of a product of Jacobians are dropped below that share of the largest row: they change its norm by less than
half a spacing of float64."""

FACT_MARGIN = 2.0**-40
"""Numbers of a fact that are computed in float64 by fewer than 2^10 operations on numbers of ordinary size count as
equal within this share: 2^13 u, while what is not equal there differs in its first digits. Of a state that is
recovered, what is beyond it is lost."""

SMALL_SIGNAL = 2.0**-10
"""The size of signals for which tanh a is a within a^3 / 3: a third of 2^-20 of the signal, which every format but
bfloat16 shows. It is the size of what is tried, and no tolerance."""

GRADIENT_SCALES = (2.0**40, 2.0**-40)
"""Factors of output gradients: gradients scale with them exactly, as powers of 2, while float32 stays far from its
ends."""

TINY_INPUT = 2.0**-60
"""The size of inputs whose squares still are normal numbers of float32 (2^-120): what is bounded must not become NaN
there. It is the size of what is tried, and no tolerance."""

NEAR_ZERO = 2.0**-12
"""The size of pre-activations near zero, where a function that is accurate against 1 alone shows it: half of the bits
of float32, so that such a function has the other half."""

CONSTANT_SHIFT = 2.0**-20
"""By how much a constant is moved to measure its influence: about the cube root of u of float64, squared, between what
bends and what rounds. A constant that is found so is confirmed within the bounds afterwards."""

SMALLEST_ERROR_SHOWN = 2.0**-60
"""An error below it is shown as this power of two: it is no error in any format, and has no logarithm where it is 0."""
