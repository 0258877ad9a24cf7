import type { Buffers, GpuBuffer } from "./buffers.js";
import type { Engine } from "./engine.js";
import type { ViewLayout, Store } from "./store.js";

/** Engine and store of a device, for its kernels. */
export type Context = {
  readonly store: Store;
  /** The current engine: a restarted device has a new one. */
  readonly engine: Engine;
};

/** Engine and store as far as attention's forward pass needs them. The engine may record dispatches or submit them at once. */
export type ForwardContext = {
  readonly store: {
    /** Name of the running operation, for errors. */
    op: string;
    /** The buffer with a tensor's numbers. */
    read(x: Pick<ViewLayout, "storage">): GpuBuffer;
    /** A buffer for the numbers of an output and `more` bytes after them. */
    write(x: Pick<ViewLayout, "storage">, more?: number): GpuBuffer;
  };
  readonly engine: Pick<Engine, "record" | "submit" | "write" | "maxDispatchFlops" | "lost" | "closed"> & {
    readonly buffers: Pick<Buffers, "allocate" | "free">;
  };
};
