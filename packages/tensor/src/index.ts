export type { Device, DeviceMemory, DeviceReport, Kernel, Kernels, Storage, View } from "./contracts.js";
export { arange, full, ones, tensor, zeros, type TensorOptions, type TensorValues } from "./create.js";
export { bytesPerElement, type DType, type HalfType, type TypedArray } from "@qkv/core";
export type { Operand } from "./elementwise.js";
export { checkGradient } from "./check-gradient.js";
export { count, type Counts } from "./count.js";
export { grad, stopGradient, valueAndGrad, vjp } from "./grad.js";
export { js } from "./js-device.js";
export type { NormOptions } from "./norm-rows.js";
export {
  checkTensor,
  readOf,
  run,
  runAll,
  runNamed,
  viewOf,
  type Backward,
  type NamedOp,
  type Op,
  type RanOp,
  type Spec,
} from "./op.js";
export { abs } from "./ops/abs.js";
export { add } from "./ops/add.js";
export { all } from "./ops/all.js";
export { any } from "./ops/any.js";
export { argSort, type SortOptions } from "./ops/arg-sort.js";
export { argmax } from "./ops/argmax.js";
export { argmin } from "./ops/argmin.js";
export { broadcastTo } from "./ops/broadcast-to.js";
export { cast } from "./ops/cast.js";
export { causalConv, type CausalConvOptions } from "./ops/causal-conv.js";
export { ceil } from "./ops/ceil.js";
export { clamp } from "./ops/clamp.js";
export { concat } from "./ops/concat.js";
export { contiguous } from "./ops/contiguous.js";
export { cos, sin } from "./ops/sin-and-cos.js";
export { crossEntropy, type CrossEntropyOptions } from "./ops/cross-entropy.js";
export { cumsum } from "./ops/cumsum.js";
export { diagonal } from "./ops/diagonal.js";
export { div } from "./ops/div.js";
export { dropout } from "./ops/dropout.js";
export { einsum } from "./ops/einsum.js";
export { embedding } from "./ops/embedding.js";
export { equal } from "./ops/equal.js";
export { erf } from "./ops/erf.js";
export { exp } from "./ops/exp.js";
export { expandDims } from "./ops/expand-dims.js";
export { expm1 } from "./ops/expm1.js";
export { flip } from "./ops/flip.js";
export { floor } from "./ops/floor.js";
export { gather } from "./ops/gather.js";
export { gelu } from "./ops/gelu.js";
export { greaterEqual } from "./ops/greater-equal.js";
export { greater } from "./ops/greater.js";
export { layerNorm } from "./ops/layer-norm.js";
export { lessEqual } from "./ops/less-equal.js";
export { less } from "./ops/less.js";
export { linear } from "./ops/linear.js";
export { logSoftmax } from "./ops/log-softmax.js";
export { logSumExp } from "./ops/log-sum-exp.js";
export { log } from "./ops/log.js";
export { log1p } from "./ops/log1p.js";
export { logicalAnd } from "./ops/logical-and.js";
export { logicalNot } from "./ops/logical-not.js";
export { logicalOr } from "./ops/logical-or.js";
export { matmul } from "./ops/matmul.js";
export { max } from "./ops/max.js";
export { maximum } from "./ops/maximum.js";
export { mean } from "./ops/mean.js";
export { min } from "./ops/min.js";
export { minimum } from "./ops/minimum.js";
export { mul } from "./ops/mul.js";
export { neg } from "./ops/neg.js";
export { norm } from "./ops/norm.js";
export { notEqual } from "./ops/not-equal.js";
export { outer } from "./ops/outer.js";
export { pad, slice } from "./ops/slice-and-pad.js";
export { permute } from "./ops/permute.js";
export { pow } from "./ops/pow.js";
export { prod } from "./ops/prod.js";
export { reciprocal } from "./ops/reciprocal.js";
export { relu } from "./ops/relu.js";
export { repeat } from "./ops/repeat.js";
export { reshape } from "./ops/reshape.js";
export { rmsNorm } from "./ops/rms-norm.js";
export { roll } from "./ops/roll.js";
export { round } from "./ops/round.js";
export { rsqrt } from "./ops/rsqrt.js";
export { scatterUpdate, type ScatterUpdateOptions } from "./ops/scatter-update.js";
export { scatter } from "./ops/scatter.js";
export { sigmoid } from "./ops/sigmoid.js";
export { sign } from "./ops/sign.js";
export { silu } from "./ops/silu.js";
export { softmax } from "./ops/softmax.js";
export { softplus } from "./ops/softplus.js";
export { sort } from "./ops/sort.js";
export { split } from "./ops/split.js";
export { sqrt } from "./ops/sqrt.js";
export { square } from "./ops/square.js";
export { squeeze } from "./ops/squeeze.js";
export { stack } from "./ops/stack.js";
export { sub } from "./ops/sub.js";
export { sum } from "./ops/sum.js";
export { swiglu } from "./ops/swiglu.js";
export { swish } from "./ops/swish.js";
export { take } from "./ops/take.js";
export { tanh } from "./ops/tanh.js";
export { tile } from "./ops/tile.js";
export { topK } from "./ops/top-k.js";
export { transpose } from "./ops/transpose.js";
export { tril } from "./ops/tril.js";
export { triu } from "./ops/triu.js";
export { variance } from "./ops/variance.js";
export { where } from "./ops/where.js";
export { write } from "./ops/write.js";
export { bernoulli } from "./random/bernoulli.js";
export { categorical } from "./random/categorical.js";
export { permutation } from "./random/permutation.js";
export { randn, uniform, type RandomOptions } from "./random/randn.js";
export { splitSeed } from "./random/split-seed.js";
export type { ReduceOptions } from "./reduce.js";
export { remat } from "./remat.js";
export { resident } from "./resident.js";
export { broadcastShapes, broadcastStrides, sizeOf, type Nested, type Shape } from "@qkv/core";
export { isTensor, Tensor } from "./tensor.js";
export { mapTensors, tensorsOf } from "./tree.js";
