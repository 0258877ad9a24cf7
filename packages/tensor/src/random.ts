/** The generator of random bits, for devices and custom ops. */
export { philox4x32 } from "./random/philox.js";
export { seedKey } from "./random/uniforms.js";
/** Quantiles of the standard normal distribution. */
export { normalQuantile } from "./random/normal-quantile.js";
