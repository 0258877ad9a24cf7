// jax-js on WebGPU, bundled separately.
import * as jax from "@jax-js/jax";
import { jaxSubject } from "./jax-subject";

/** @param {string} name */
export async function open(name) {
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  return jaxSubject(name, jax);
}
