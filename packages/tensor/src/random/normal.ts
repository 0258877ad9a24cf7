/**
 * The quantile function of the standard normal distribution: Wichura's algorithm AS 241 (PPND16, 1988), with a relative error of
 * about 1e-16. It uses only + − × ÷ √ and the logarithm below, which give the same bits in every engine, and so do random normals. (`Math.log` may differ in its last bit.)
 *
 * @param p - Strictly between 0 and 1.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centralTop, r)) / polynomial(centralBottom, r);
  }
  let r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p));
  let value: number;
  if (r <= 5) {
    r -= 1.6;
    value = polynomial(middleTop, r) / polynomial(middleBottom, r);
  } else {
    r -= 5;
    value = polynomial(farTop, r) / polynomial(farBottom, r);
  }
  return q < 0 ? -value : value;
}

/** The natural logarithm of a positive normal number: splits exponent and mantissa, then uses the series of artanh. */
export function logarithm(x: number): number {
  let exponent = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent -= 1;
  }
  while (x > Math.SQRT2) {
    x /= 2;
    exponent += 1;
  }
  // ln x = 2 artanh(z), z = (x − 1)/(x + 1), |z| < 0.1716: 11 terms give float64 precision.
  const z = (x - 1) / (x + 1);
  const z2 = z * z;
  let series = 0;
  for (let n = 23; n >= 1; n -= 2) series = series * z2 + 1 / n;
  return exponent * Math.LN2 + 2 * z * series;
}

/** Coefficients from the highest power down. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}

// Coefficients of PPND16. In q² below 0.425² = 0.180625, and in r = √(-ln p) around 1.6 and 5.
const centralTop = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const centralBottom = [
  5226.495278852546, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const middleTop = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const middleBottom = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const farTop = [
  2.0103343992922881e-7, 0.000027115555687434876, 0.0012426609473880784, 0.026532189526576124,
  0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const farBottom = [
  2.0442631033899397e-15, 1.421511758316446e-7, 0.000018463183175100548, 0.0007868691311456133,
  0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
];
