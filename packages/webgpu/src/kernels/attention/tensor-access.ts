import { sizeOf, type Tensor } from "@qkv/tensor";
import type { Context } from "../../context.js";
import { copyInto } from "../copy-into.js";
import { contiguousStrides } from "../contiguous.js";
import type { TensorAccess } from "./call-layout.js";
import { denseRows } from "./dense-keys.js";
import { Plans } from "./plan-words.js";
import { storedRows } from "./stored-text.js";

/** Access to tensors on the device. Layouts that kernels cannot read in place are copied on the GPU. */
export function tensorAccess(context: Context): TensorAccess<Tensor> {
  return {
    plans: new Plans(),
    within: ({ query }, f) => query.device.scope(f),
    rows: denseRows,
    storedRows,
    writeTables(tables, buffer, start) {
      let at = start;
      for (const table of tables) {
        const to = { strides: contiguousStrides(table.shape), offset: at };
        copyInto(context, context.store.op, table, buffer, to);
        at += sizeOf(table.shape);
      }
    },
  };
}
