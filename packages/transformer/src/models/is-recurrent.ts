import type { LayerType } from "./decoder-config.js";

/** Tells layers with a state from those that attend. */
export const isRecurrent = (type: LayerType): boolean => typeof type === "object" && type.recurrent === true;
