/** The generator of random bits, for devices and for operations of one's own. */
export { philox4x32 } from "./random/philox.js";
export { seedKey } from "./random/uniforms.js";
/** Quantiles of what `randn` draws. */
export { normalQuantile } from "./random/normal-quantile.js";
