export {
  attentionCallExample,
  attentionCallModel,
  type AttentionCallOptions,
} from "./attention-call-model.js";
export type { AttentionCallModel } from "@qkv/viz/figures/attention-call";
