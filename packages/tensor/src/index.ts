export type {
  BoundMask,
  Cache,
  Device,
  DeviceMemory,
  DeviceReport,
  Extent,
  KeyValues,
  Kernel,
  Kernels,
  Mask,
  Part,
  Range,
  Storage,
  TileClass,
  TraceName,
  View,
} from "./contracts.js";
export { arange, full, ones, tensor, zeros, type TensorOptions } from "./create.js";
export { bytesPerElement, type DType, type TypedArray } from "./dtype.js";
export type { Operand } from "./elementwise.js";
export { checkGradient } from "./check-gradient.js";
export { count, type Counts } from "./count.js";
export { grad, stopGradient, valueAndGrad, vjp } from "./grad.js";
export { js } from "./js-device.js";
export { checkTensor, run, runAll, viewOf, type Backward, type Op, type Spec } from "./op.js";
export { add } from "./ops/add.js";
export { broadcastTo } from "./ops/broadcast-to.js";
export { cast } from "./ops/cast.js";
export { concat } from "./ops/concat.js";
export { contiguous } from "./ops/contiguous.js";
export { div } from "./ops/div.js";
export { embedding } from "./ops/embedding.js";
export { exp } from "./ops/exp.js";
export { linear } from "./ops/linear.js";
export { log } from "./ops/log.js";
export { matmul } from "./ops/matmul.js";
export { mul } from "./ops/mul.js";
export { neg } from "./ops/neg.js";
export { pad } from "./ops/pad.js";
export { permute, transpose } from "./ops/permute.js";
export { reshape } from "./ops/reshape.js";
export { rmsNorm } from "./ops/rms-norm.js";
export { sigmoid } from "./ops/sigmoid.js";
export { silu } from "./ops/silu.js";
export { slice } from "./ops/slice.js";
export { softmax } from "./ops/softmax.js";
export { sqrt } from "./ops/sqrt.js";
export { sub } from "./ops/sub.js";
export { sum } from "./ops/sum.js";
export { take } from "./ops/take.js";
export { tanh } from "./ops/tanh.js";
export { write } from "./ops/write.js";
export { randn, uniform, type RandomOptions } from "./random/randn.js";
export type { ReduceOptions } from "./reduce.js";
export { remat } from "./remat.js";
export { resident } from "./resident.js";
export { broadcastShapes, broadcastStrides, sizeOf, type Shape } from "./shape.js";
export { isTensor, Tensor, type Nested } from "./tensor.js";
export { mapTensors, tensorsOf } from "./tree.js";
