export type { Complex } from "./fft/dft.js";
export { fft, ifft } from "./fft/fft.js";
export type { FftOptions } from "./fft/transform-input.js";
export { irfft, rfft } from "./fft/rfft.js";
