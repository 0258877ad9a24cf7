// Functions of vectors of four float32.

@inline
export function zero(): v128 {
  return f32x4.splat(0);
}

/** Loads up to four numbers; other lanes are 0. */
@inline
export function loadPartial(from: usize, count: i32, scratch: usize): v128 {
  if (count >= 4) return v128.load(from);
  v128.store(scratch, f32x4.splat(0));
  memory.copy(scratch, from, (<usize>count) << 2);
  return v128.load(scratch);
}

/** Stores the first `count` lanes, up to four. */
@inline
export function storePartial(to: usize, x: v128, count: i32, scratch: usize): void {
  if (count >= 4) {
    v128.store(to, x);
  } else {
    v128.store(scratch, x);
    memory.copy(to, scratch, (<usize>count) << 2);
  }
}

/** a · b + c, rounded once if relaxed SIMD has a fused multiply-add. */
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

@inline
export function sumLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The sums of four vectors. */
@inline
export function sumFourVectors(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** Maximum of four numbers; none of them may be NaN. */
@inline
export function maxLane(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** Maximum of `count` numbers; NaN if one of them is NaN. */
export function maxIn(from: usize, count: i32): f32 {
  // `pmax` is a single instruction, `max` several; but `pmax` does not propagate NaN.
  let t0 = f32x4.splat(-Infinity);
  let t1 = t0;
  let nan = zero();
  const end = from + ((<usize>count) << 2);
  for (const last = from + ((<usize>(count & ~7)) << 2); from < last; from += 32) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    t0 = f32x4.pmax(t0, a);
    t1 = f32x4.pmax(t1, b);
    nan = v128.or(nan, v128.or(f32x4.ne(a, a), f32x4.ne(b, b)));
  }
  if (v128.any_true(nan)) return NaN;
  let largest = maxLane(f32x4.pmax(t0, t1));
  for (; from < end; from += 4) largest = max<f32>(largest, load<f32>(from));
  return largest;
}

/** Largest absolute value of `count` numbers; NaN if one of them is NaN. */
export function absmaxIn(from: usize, count: i32): f32 {
  // The bits of non-negative floats are in the order of the floats, and NaN is above all.
  const magnitudeBits = i32x4.splat(0x7fffffff);
  let t0 = i32x4.splat(0);
  let t1 = t0;
  const end = from + ((<usize>count) << 2);
  for (const last = from + ((<usize>(count & ~7)) << 2); from < last; from += 32) {
    t0 = i32x4.max_s(t0, v128.and(v128.load(from), magnitudeBits));
    t1 = i32x4.max_s(t1, v128.and(v128.load(from, 16), magnitudeBits));
  }
  t0 = i32x4.max_s(t0, t1);
  t0 = i32x4.max_s(t0, v128.shuffle<i32>(t0, t0, 2, 3, 0, 1));
  let largest = max<i32>(i32x4.extract_lane(t0, 0), i32x4.extract_lane(t0, 1));
  for (; from < end; from += 4) largest = max<i32>(largest, load<i32>(from) & 0x7fffffff);
  return reinterpret<f32>(largest);
}

/**
 * Constants of the functions below, four of each, with their offsets in bytes. They are in memory, because engines would build
 * constant vectors again in each iteration of a loop. Cephes: https://www.netlib.org/cephes/, single precision.
 */
// prettier-ignore
const constants: usize = memory.data<f32>([
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, // 0: 1 / ln 2
  // ln 2 in two parts: the first has 9 bits, so that n times it is exact
  0.693359375, 0.693359375, 0.693359375, 0.693359375, // 16
  -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, // 32
  // exp: e^r = 1 + r + r² p(r), p by Cephes expf (Moshier)
  1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, // 48
  1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, // 64
  8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, // 80
  4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, // 96
  1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, // 112
  5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, // 128
  1, 1, 1, 1, // 144
  // ln of the least normal float32, 2^-126
  -87.33654, -87.33654, -87.33654, -87.33654, // 160
  Infinity, Infinity, Infinity, Infinity, // 176
  88.72284, 88.72284, 88.72284, 88.72284, // 192: ln of the largest float32
  // tanh: x + x³ p(x²) below 0.625, Cephes tanhf
  -5.70498872745e-3, -5.70498872745e-3, -5.70498872745e-3, -5.70498872745e-3, // 208
  2.06390887954e-2, 2.06390887954e-2, 2.06390887954e-2, 2.06390887954e-2, // 224
  -5.37397155531e-2, -5.37397155531e-2, -5.37397155531e-2, -5.37397155531e-2, // 240
  1.33314422036e-1, 1.33314422036e-1, 1.33314422036e-1, 1.33314422036e-1, // 256
  -3.33332819422e-1, -3.33332819422e-1, -3.33332819422e-1, -3.33332819422e-1, // 272
  2, 2, 2, 2, // 288
  -0.0, -0.0, -0.0, -0.0, // 304
  0.625, 0.625, 0.625, 0.625, // 320
  1.1754943508e-38, 1.1754943508e-38, 1.1754943508e-38, 1.1754943508e-38, // 336: 2^-126
  8388608, 8388608, 8388608, 8388608, // 352: 2^23
  23, 23, 23, 23, // 368
  // log: m - m² / 2 + m³ p(m), Cephes logf
  7.0376836292e-2, 7.0376836292e-2, 7.0376836292e-2, 7.0376836292e-2, // 384
  -1.1514610310e-1, -1.1514610310e-1, -1.1514610310e-1, -1.1514610310e-1, // 400
  1.1676998740e-1, 1.1676998740e-1, 1.1676998740e-1, 1.1676998740e-1, // 416
  -1.2420140846e-1, -1.2420140846e-1, -1.2420140846e-1, -1.2420140846e-1, // 432
  1.4249322787e-1, 1.4249322787e-1, 1.4249322787e-1, 1.4249322787e-1, // 448
  -1.6668057665e-1, -1.6668057665e-1, -1.6668057665e-1, -1.6668057665e-1, // 464
  2.0000714765e-1, 2.0000714765e-1, 2.0000714765e-1, 2.0000714765e-1, // 480
  -2.4999993993e-1, -2.4999993993e-1, -2.4999993993e-1, -2.4999993993e-1, // 496
  3.3333331174e-1, 3.3333331174e-1, 3.3333331174e-1, 3.3333331174e-1, // 512
  0.5, 0.5, 0.5, 0.5, // 528
  NaN, NaN, NaN, NaN, // 544
  -Infinity, -Infinity, -Infinity, -Infinity, // 560
  0.35355339059, 0.35355339059, 0.35355339059, 0.35355339059, // 576: 1 / (2 √2)
  // erfc(z) = t e^(-z² + p(t)) with t = 1 / (1 + z / 2), relative error below 1.2e-7: Numerical Recipes, 2nd ed., 6.2, erfcc
  0.17087277, 0.17087277, 0.17087277, 0.17087277, // 592
  -0.82215223, -0.82215223, -0.82215223, -0.82215223, // 608
  1.48851587, 1.48851587, 1.48851587, 1.48851587, // 624
  -1.13520398, -1.13520398, -1.13520398, -1.13520398, // 640
  0.27886807, 0.27886807, 0.27886807, 0.27886807, // 656
  -0.18628806, -0.18628806, -0.18628806, -0.18628806, // 672
  0.09678418, 0.09678418, 0.09678418, 0.09678418, // 688
  0.37409196, 0.37409196, 0.37409196, 0.37409196, // 704
  1.00002368, 1.00002368, 1.00002368, 1.00002368, // 720
  -1.26551223, -1.26551223, -1.26551223, -1.26551223, // 736
  -0.5, -0.5, -0.5, -0.5, // 752
  // beyond, e^(-x² / 2) is 0 in float32
  30, 30, 30, 30, // 768
  -30, -30, -30, -30, // 784
  0.3989422804, 0.3989422804, 0.3989422804, 0.3989422804, // 800: 1 / √(2π)
  -1e4, -1e4, -1e4, -1e4, // 816: keeps x³ finite
  -0.10294324, -0.10294324, -0.10294324, -0.10294324, // 832: -2 √(2/π) 0.044715 / ln 2
  -2.302208198, -2.302208198, -2.302208198, -2.302208198, // 848: -2 √(2/π) / ln 2
  -126, -126, -126, -126, // 864
  126, 126, 126, 126, // 880
  12582912, 12582912, 12582912, 12582912, // 896: 1.5 · 2^23
  // 2^r: the polynomial of expConstants
  0.0013264727, 0.0013264727, 0.0013264727, 0.0013264727, // 912
  0.009671513, 0.009671513, 0.009671513, 0.009671513, // 928
  0.055507336, 0.055507336, 0.055507336, 0.055507336, // 944
  0.24022242, 0.24022242, 0.24022242, 0.24022242, // 960
  0.693147, 0.693147, 0.693147, 0.693147, // 976
], 16);

/**
 * e to the power of x, to about one unit in the last place; 0 below -87.3, infinity above 88.7. The integer part of x / ln 2
 * becomes the exponent; the remainder, at most ln 2 / 2, goes through a polynomial of degree 6.
 */
@inline
export function exp4(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, v128.load(constants, 0)));
  // ln 2 in two parts, the first of which times n is exact.
  let r = f32x4.sub(x, f32x4.mul(n, v128.load(constants, 16)));
  r = f32x4.sub(r, f32x4.mul(n, v128.load(constants, 32)));
  let p = v128.load(constants, 48);
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 64));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 80));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 96));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 112));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 128));
  p = f32x4.add(f32x4.mul(f32x4.mul(p, r), r), f32x4.add(r, v128.load(constants, 144)));
  // Two factors of half the exponent, because 2^128 is not a float32.
  const exponent = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(exponent, 1);
  const otherHalf = i32x4.sub(exponent, half);
  const bias = i32x4.splat(127);
  const y = f32x4.mul(
    f32x4.mul(p, i32x4.shl(i32x4.add(half, bias), 23)),
    i32x4.shl(i32x4.add(otherHalf, bias), 23),
  );
  const low = v128.andnot(y, f32x4.lt(x, v128.load(constants, 160)));
  return v128.bitselect(v128.load(constants, 176), low, f32x4.gt(x, v128.load(constants, 192)));
}

/**
 * The constants of `exp4WithConstants`, four of each. Callers load them before a loop, because engines would build constant
 * vectors again in each iteration.
 *
 * The polynomial was fitted to 2^r on [-½, ½] with a constant term of exactly 1; its relative error is 1.09e-7. The minimax
 * polynomial of that form has 8.1e-8. In NumPy, with c the six numbers as float32 from c5 down:
 * `r = linspace(-.5, .5, 200001); abs(polyval(c, r) / 2**r - 1).max()`.
 */
// prettier-ignore
export const expConstants: usize = memory.data<f32>([
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, // 1 / ln 2
  -127, -127, -127, -127, // below, the power is exactly 0
  12582912, 12582912, 12582912, 12582912, // 1.5 · 2^23: adding it rounds to an integer
  0.0013264727, 0.0013264727, 0.0013264727, 0.0013264727, // 2^r = 1 + r p(r)
  0.009671513, 0.009671513, 0.009671513, 0.009671513,
  0.055507336, 0.055507336, 0.055507336, 0.055507336,
  0.24022242, 0.24022242, 0.24022242, 0.24022242,
  0.693147, 0.693147, 0.693147, 0.693147,
  1, 1, 1, 1,
], 16);

/**
 * e to the power of x for x ≤ 0, as softmax needs it: relative error below 2e-7 for small x, and 0 below -88. It is 2^(n + r):
 * the integer n becomes the exponent, the remainder r goes through a polynomial whose constant term is exactly 1. The result for
 * NaN is arbitrary; callers detect NaN themselves.
 */
@inline
export function exp4WithConstants(
  x: v128,
  log2e: v128,
  minExponent: v128,
  rounding: v128,
  c5: v128,
  c4: v128,
  c3: v128,
  c2: v128,
  c1: v128,
  c0: v128,
): v128 {
  const y = f32x4.pmax(f32x4.mul(x, log2e), minExponent);
  const shifted = f32x4.add(y, rounding);
  const r = f32x4.sub(y, f32x4.sub(shifted, rounding));
  let p = fma(c5, r, c4);
  p = fma(p, r, c3);
  p = fma(p, r, c2);
  p = fma(p, r, c1);
  p = fma(p, r, c0);
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** 1 for lanes whose mask `condition` is set, else 0. */
@inline
export function truth(condition: v128): v128 {
  return v128.and(condition, f32x4.splat(1));
}

/** Sign: -1, 0 or 1; NaN for NaN. */
@inline
export function sign4(x: v128): v128 {
  const one = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
  return v128.bitselect(one, x, v128.or(f32x4.lt(x, zero()), f32x4.gt(x, zero())));
}

/** y, or 0 where dy is 0, even if y is NaN or infinite. */
@inline
export function zeroWhere(dy: v128, y: v128): v128 {
  return v128.and(y, f32x4.ne(dy, zero()));
}

/** The hyperbolic tangent, to two units in the last place: a polynomial for small x, else 1 - 2 / (e^2|x| + 1). */
@inline
export function tanh4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = v128.load(constants, 208);
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 224));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 240));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 256));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 272));
  const small = f32x4.add(x, f32x4.mul(f32x4.mul(p, z), x));
  const power = exp4(f32x4.add(magnitude, magnitude));
  const one = v128.load(constants, 144);
  const large = f32x4.sub(one, f32x4.div(v128.load(constants, 288), f32x4.add(power, one)));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(
    small,
    v128.bitselect(signed, x, f32x4.eq(x, x)),
    f32x4.lt(magnitude, v128.load(constants, 320)),
  );
}

/**
 * The natural logarithm, to one unit in the last place; -infinity for 0, NaN for negative numbers. It is the exponent times ln 2
 * plus a polynomial of degree 8 of the mantissa, between √½ and √2.
 */
@inline
export function log4(x: v128): v128 {
  // Subnormal numbers are first multiplied by 2^23.
  const tiny = f32x4.lt(x, v128.load(constants, 336));
  const normal = v128.bitselect(f32x4.mul(x, v128.load(constants, 352)), x, tiny);
  // After subtracting the bits of √½, the exponent changes at √½.
  const bits = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(bits, 23);
  const m = f32x4.sub(i32x4.sub(normal, i32x4.shl(exponent, 23)), v128.load(constants, 144));
  const e = f32x4.sub(f32x4.convert_i32x4_s(exponent), v128.and(tiny, v128.load(constants, 368)));
  const z = f32x4.mul(m, m);
  let p = v128.load(constants, 384);
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 400));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 416));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 432));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 448));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 464));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 480));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 496));
  p = f32x4.add(f32x4.mul(p, m), v128.load(constants, 512));
  let y = f32x4.mul(f32x4.mul(p, z), m);
  y = f32x4.add(y, f32x4.mul(e, v128.load(constants, 32)));
  y = f32x4.sub(y, f32x4.mul(z, v128.load(constants, 528)));
  y = f32x4.add(f32x4.add(m, y), f32x4.mul(e, v128.load(constants, 16)));
  // NaN for negative numbers, -∞ for 0, ∞ for ∞.
  y = v128.bitselect(y, v128.load(constants, 544), f32x4.ge(x, zero()));
  y = v128.bitselect(v128.load(constants, 560), y, f32x4.eq(x, zero()));
  return v128.bitselect(x, y, f32x4.eq(x, v128.load(constants, 176)));
}

/** erfc(|x| / √2) for |x| ≤ 30, with a relative error of a few units in the last place. */
@inline
function erfcOfScaled4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  // 1 / (1 + z / 2) with z = |x| / √2
  const t = f32x4.div(
    v128.load(constants, 144),
    f32x4.add(v128.load(constants, 144), f32x4.mul(magnitude, v128.load(constants, 576))),
  );
  let p = v128.load(constants, 592);
  p = fma(p, t, v128.load(constants, 608));
  p = fma(p, t, v128.load(constants, 624));
  p = fma(p, t, v128.load(constants, 640));
  p = fma(p, t, v128.load(constants, 656));
  p = fma(p, t, v128.load(constants, 672));
  p = fma(p, t, v128.load(constants, 688));
  p = fma(p, t, v128.load(constants, 704));
  p = fma(p, t, v128.load(constants, 720));
  p = fma(p, t, v128.load(constants, 736));
  // x² / 2 in two parts, the first of which is exact: the rounding error of a large x² would be amplified.
  const coarse = v128.and(magnitude, i32x4.splat(<i32>0xfffff000));
  const fine = f32x4.mul(
    f32x4.mul(f32x4.sub(magnitude, coarse), f32x4.add(magnitude, coarse)),
    v128.load(constants, 528),
  );
  const exact = f32x4.mul(f32x4.mul(coarse, coarse), v128.load(constants, 752));
  return f32x4.mul(t, exp4OfSum(exact, f32x4.sub(p, fine)));
}

/**
 * e to the power of a + b, without the rounding error of the sum, for a ≤ 0 with at most 24 bits, a small b, and a sum of at most
 * about 1. 0 below 2^-127.
 */
@inline
function exp4OfSum(a: v128, b: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(f32x4.add(a, b), v128.load(constants, 0)));
  // n times the first part of ln 2 is exact, and so is its distance from a.
  let r = f32x4.add(f32x4.sub(a, f32x4.mul(n, v128.load(constants, 16))), b);
  r = f32x4.sub(r, f32x4.mul(n, v128.load(constants, 32)));
  let p = v128.load(constants, 48);
  p = fma(p, r, v128.load(constants, 64));
  p = fma(p, r, v128.load(constants, 80));
  p = fma(p, r, v128.load(constants, 96));
  p = fma(p, r, v128.load(constants, 112));
  p = fma(p, r, v128.load(constants, 128));
  p = fma(f32x4.mul(p, r), r, f32x4.add(r, v128.load(constants, 144)));
  const least = i32x4.max_s(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(-127));
  return f32x4.mul(p, i32x4.shl(i32x4.add(least, i32x4.splat(127)), 23));
}

/** Φ(x), the standard normal CDF, for x ≥ -30. */
@inline
function normalCdf4(x: v128): v128 {
  const half = f32x4.mul(erfcOfScaled4(f32x4.pmin(x, v128.load(constants, 768))), v128.load(constants, 528));
  return v128.bitselect(f32x4.sub(v128.load(constants, 144), half), half, f32x4.gt(x, zero()));
}

/** x Φ(x) */
@inline
export function gelu4(x: v128): v128 {
  const clamped = f32x4.pmax(x, v128.load(constants, 784));
  return f32x4.mul(clamped, normalCdf4(clamped));
}

/** Φ(x) + x φ(x) */
@inline
export function geluSlope4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, v128.load(constants, 784)), v128.load(constants, 768));
  const density = exp4(f32x4.mul(f32x4.mul(clamped, clamped), v128.load(constants, 752)));
  return f32x4.add(normalCdf4(clamped), f32x4.mul(f32x4.mul(clamped, density), v128.load(constants, 800)));
}

/** 2 to the power of x, clamped to -126 … 126, with a relative error below 2e-7. The result for NaN is arbitrary. */
@inline
function powerOf2(x: v128): v128 {
  const y = f32x4.pmin(f32x4.pmax(x, v128.load(constants, 864)), v128.load(constants, 880));
  const rounding = v128.load(constants, 896);
  const shifted = f32x4.add(y, rounding);
  const r = f32x4.sub(y, f32x4.sub(shifted, rounding));
  let p = fma(v128.load(constants, 912), r, v128.load(constants, 928));
  p = fma(p, r, v128.load(constants, 944));
  p = fma(p, r, v128.load(constants, 960));
  p = fma(p, r, v128.load(constants, 976));
  p = fma(p, r, v128.load(constants, 144));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** ½ x (1 + tanh u) = x / (1 + e^-2u), u = √(2/π) (x + 0.044715 x³); "Gaussian Error Linear Units" (2016), arXiv:1606.08415 */
@inline
export function geluTanh4(x: v128): v128 {
  const clamped = f32x4.pmax(x, v128.load(constants, 816));
  const squared = f32x4.mul(clamped, clamped);
  // -2 u / ln 2
  const inner = f32x4.add(f32x4.mul(squared, v128.load(constants, 832)), v128.load(constants, 848));
  const power = powerOf2(f32x4.mul(clamped, inner));
  return f32x4.div(clamped, f32x4.add(v128.load(constants, 144), power));
}

/**
 * s + 2 x s (1 − s) u', with s = 1 / (1 + e^-2u) and u as in geluTanh4. 1.5957692 is 2 √(2/π), 0.21406444 is three times 0.044715 times
 * that.
 */
@inline
export function geluTanhSlope4(x: v128): v128 {
  // Beyond ±20 the derivative is 0 or 1.
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-20)), f32x4.splat(20));
  const squared = f32x4.mul(clamped, clamped);
  // -2 u / ln 2
  const inner = f32x4.add(f32x4.mul(squared, v128.load(constants, 832)), v128.load(constants, 848));
  const one = v128.load(constants, 144);
  const s = f32x4.div(one, f32x4.add(one, powerOf2(f32x4.mul(clamped, inner))));
  const twiceDerivativeOfU = f32x4.add(f32x4.mul(squared, f32x4.splat(0.21406444)), f32x4.splat(1.5957692));
  const sigmoidDerivative = f32x4.mul(s, f32x4.sub(one, s));
  return f32x4.add(s, f32x4.mul(f32x4.mul(clamped, twiceDerivativeOfU), sigmoidDerivative));
}

/** s + x s (1 − s), with s the sigmoid */
@inline
export function siluSlope4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-100)), f32x4.splat(100));
  const one = v128.load(constants, 144);
  // e^-x = 2^(-x / ln 2)
  const power = powerOf2(f32x4.neg(f32x4.mul(clamped, v128.load(constants, 0))));
  const s = f32x4.div(one, f32x4.add(one, power));
  return f32x4.add(s, f32x4.mul(f32x4.mul(clamped, s), f32x4.sub(one, s)));
}

/** log(1 + eˣ) */
@inline
export function softplus4(x: v128): v128 {
  const power = exp4(f32x4.neg(f32x4.abs(x)));
  const one = f32x4.splat(1);
  const sum = f32x4.add(one, power);
  // log(1 + p) = log(s) · p / (s − 1) with the rounded sum s = 1 + p, or p if s is 1.
  const roundedP = f32x4.sub(sum, one);
  const scaled = f32x4.mul(log4(sum), f32x4.div(power, roundedP));
  const log1p = v128.bitselect(power, scaled, f32x4.eq(roundedP, zero()));
  return f32x4.add(f32x4.max(x, zero()), log1p);
}

/** x / (1 + e^-αx) */
@inline
export function swish4(x: v128, alpha: v128): v128 {
  return f32x4.div(x, f32x4.add(v128.load(constants, 144), exp4(f32x4.neg(f32x4.mul(x, alpha)))));
}
