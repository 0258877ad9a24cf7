import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Store } from "../store.js";
import type { Run, Shaders, Texture } from "./shaders.js";

/** The shaders of the kernels and the store of tensors. */
export type Gl = { readonly shaders: Shaders; readonly store: Store<Texture> };

/** Runs a shader and stores its result as the numbers of `output`. */
export function runInto({ shaders, store }: Gl, output: View, run: Omit<Run, "length">): true {
  store.setBuffer(output, shaders.run({ ...run, length: sizeOf(output.shape) }));
  return true;
}

/** Registers a texture as scratch memory, and returns it. */
export type RegisterScratch = (texture: Texture) => Texture;

/** Runs `f` with scratch textures: `asScratch` registers a texture, and all registered ones are freed at the end. */
export function withScratch<T>({ store }: Gl, f: (asScratch: RegisterScratch) => T): T {
  const scratch: Texture[] = [];
  try {
    return f((texture) => {
      scratch.push(texture);
      return texture;
    });
  } finally {
    for (const texture of scratch) store.freeBuffer(texture);
  }
}
