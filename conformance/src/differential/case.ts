import type { Tensor } from "@qkv/tensor";
import type { Input } from "./inputs.js";

/** A computation and its inputs, which keep their strides when they are moved to a device. */
export type Case = { inputs: readonly Input[]; f: (...inputs: Tensor[]) => Tensor; tolerance: Tolerance };

export type Tolerance = { relative: number; absolute: number };

export const exact: Tolerance = { relative: 0, absolute: 0 };
/** Two units in the last place; subnormal results may become 0. */
export const twoUnits: Tolerance = { relative: 2.4e-7, absolute: 1.2e-38 };
/** For sums of some hundred values of about 1. */
export const sums: Tolerance = { relative: 1e-5, absolute: 1e-3 };
export const near: Tolerance = { relative: 1e-6, absolute: 1e-6 };
