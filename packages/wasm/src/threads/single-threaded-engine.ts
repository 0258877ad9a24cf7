import type { Engine, Exports } from "../engine.js";
import type { WasmMemory } from "../memory.js";

/** An engine without workers. */
export function singleThreadedEngine(exports: Exports, memory: WasmMemory): Engine {
  return {
    exports,
    memory,
    threads: 1,
    parallel(entry, items, scratchBytes, ...args) {
      const scratch = scratchBytes > 0 ? memory.allocate(scratchBytes) : 0;
      try {
        for (let item = 0; item < items; item++) if (exports[entry]!(item, scratch, ...args)) return false;
        return true;
      } finally {
        if (scratchBytes > 0) memory.free(scratch, scratchBytes);
      }
    },
  };
}
