import type { Engine } from "./engine.js";
import type { Store } from "./store.js";

/** The engine that records dispatches and the store of tensors, for kernels. */
export type Context = {
  readonly store: Store;
  /** The engine of now: a restarted device has a new one. */
  readonly engine: Engine;
};
