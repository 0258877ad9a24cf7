import type { Buffers, GpuBuffer } from "./buffers.js";
import type { Engine } from "./engine.js";
import type { Placed, Store } from "./store.js";

/** The engine that records dispatches and the store of tensors, for kernels. */
export type Context = {
  readonly store: Store;
  /** The engine of now: a restarted device has a new one. */
  readonly engine: Engine;
};

/** The part of a GPU that attention's forward pass needs. Its engine may run dispatches late or at once. */
export type ForwardContext = {
  readonly store: {
    /** The operation that runs, for errors. */
    op: string;
    /** The buffer that holds numbers now. */
    read(x: Pick<Placed, "storage">): GpuBuffer;
    /** A buffer for the numbers of an output, with room for bytes after them. */
    write(x: Pick<Placed, "storage">, more?: number): GpuBuffer;
  };
  readonly engine: Pick<Engine, "record" | "submit" | "write" | "mostFlops" | "lost" | "closed"> & {
    readonly buffers: Pick<Buffers, "allocate" | "free">;
  };
};
