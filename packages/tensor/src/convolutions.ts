export { avgPool1d, avgPool2d, type AvgPoolOptions } from "./convolutions/avg-pool.js";
export { conv1d } from "./convolutions/conv1d.js";
export { conv2d } from "./convolutions/conv2d.js";
export type { ConvOptions } from "./convolutions/convolve.js";
export { maxPool1d, maxPool2d } from "./convolutions/max-pool.js";
export type { PoolOptions } from "./convolutions/pool.js";
export type { PerAxis } from "./convolutions/windows.js";
