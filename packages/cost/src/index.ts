export { attentionTraffic, type AttentionTraffic, type AttentionTrafficCall } from "./attention-traffic.js";
export { calibrate, type Calibration, type Sample } from "./calibrate.js";
export { cost, type Call, type Cost, type Operator } from "./cost.js";
export { costKinds, type KindCall } from "./cost-kinds.js";
export { estimate, type Bound, type Estimate, type Layout, type OperatorTime } from "./estimate.js";
export { formats, quantized, type Format, type Formats } from "./formats.js";
export { kvCache, readCacheLayers, type CacheLayer, type KvCacheCall, type KvCacheSize } from "./kv-cache.js";
export { mixerCost, mixerNames, type MixerCostCall, type MixerCost } from "./mixer-costs.js";
export { type MixerName } from "./mixer-counts.js";
export { defineMachine, type Link, type Machine, type MemoryLevel } from "./machine.js";
export { machines } from "./machines.js";
export { measure, type MeasureOptions, type PassWork, type ProductWork } from "./measure.js";
export { largestBatch, longestContext, memory, type Memory, type MemoryCall } from "./memory.js";
export type {
  AttentionShape,
  Convolution,
  DenseFeedForward,
  ExpertsFeedForward,
  FeedForwardShape,
  HeadsAttention,
  LatentAttention,
  Layer,
  ModelShape,
  NoAttention,
  NoFeedForward,
  Norm,
  Reach,
  Stack,
  StateAttention,
  Streams,
  Table,
} from "./model-shape.js";
export {
  modelFlopsUtilization,
  type FlopsUtilization,
  type TrainingSpeed,
} from "./model-flops-utilization.js";
export { pairsSeen } from "./pairs-seen.js";
export { parameters, type Parameters } from "./parameters.js";
export { plan, type Plan, type PlanRequest } from "./plan.js";
export { modelTypes, readConfig } from "./read-config.js";
