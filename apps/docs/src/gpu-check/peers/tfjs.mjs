// TensorFlow.js on WebGPU, bundled separately.
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { tfjsSubject } from "./tfjs-subject";

/** @param {string} name */
export async function open(name) {
  if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend did not start");
  await tf.ready();
  return tfjsSubject(name, tf);
}
