// ONNX Runtime Web on WebGPU, bundled separately, with its WebAssembly file beside it.
import * as onnx from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm";
import { graph } from "../../../../../benchmarks/peers/onnx.mjs";
import { onnxSubject } from "./onnx-subject";

/** @param {string} name */
export async function open(name) {
  onnx.env.logLevel = "error";
  onnx.env.wasm.numThreads = 1;
  onnx.env.wasm.wasmPaths = { wasm: new URL(wasm, import.meta.url).href };
  return onnxSubject(name, "webgpu", onnx, graph);
}
