import { checks, nearestName, type Checks } from "@qkv/core";
export type { HookedTransformerConfig } from "./hooked-transformer/hooked-config.js";
export {
  loadTransformerLens,
  type LoadTransformerLensOptions,
} from "./hooked-transformer/load-transformer-lens.js";
export {
  transformerLensCheckpoint,
  type TransformerLensCheckpoint,
} from "./hooked-transformer/transformer-lens-checkpoint.js";

/** A name of TransformerLens, and the name here. */
export type NameInTransformerLens = {
  /** A name of TransformerLens 2; `{i}` is the index of a layer. */
  readonly theirs: string;
  /** The name here. Undefined: there is no equivalent. */
  readonly ours: string | undefined;
  /** Differences; empty if there are none. If `ours` is undefined: the alternative, as an instruction. */
  readonly note: string;
};

const byHead = "[B, H, T, D] in place of [batch, pos, head, d_head]";
const byKvHead = "[B, Hkv, S, D] in place of [batch, pos, head, d_head]; heads of a group are stored once";

/** Hook points of TransformerLens, and the names of tensors here. */
export const transformerLensHooks: readonly NameInTransformerLens[] = [
  {
    theirs: "hook_embed",
    ours: "embeddings",
    note: "with learned positions added; `decomposeResidual` splits both",
  },
  { theirs: "hook_pos_embed", ours: undefined, note: "read the part `position` of `decomposeResidual`" },
  { theirs: "blocks.{i}.hook_resid_pre", ours: "layers.{i}.input", note: "" },
  { theirs: "blocks.{i}.hook_resid_mid", ours: "layers.{i}.middle", note: "" },
  { theirs: "blocks.{i}.hook_resid_post", ours: "layers.{i}.output", note: "" },
  { theirs: "blocks.{i}.hook_attn_out", ours: "layers.{i}.attentionOutput", note: "" },
  { theirs: "blocks.{i}.hook_mlp_out", ours: "layers.{i}.feedForwardOutput", note: "" },
  {
    theirs: "blocks.{i}.ln1.hook_normalized",
    ours: "layers.{i}.attentionInput",
    note: "gain and shift are not folded into the linear maps that follow",
  },
  {
    theirs: "blocks.{i}.ln1.hook_scale",
    ours: undefined,
    note: "compute it from `layers.{i}.input`; `scoreParts` applies it",
  },
  {
    theirs: "blocks.{i}.ln2.hook_normalized",
    ours: "layers.{i}.feedForwardInput",
    note: "gain and shift are not folded into the linear maps that follow",
  },
  { theirs: "blocks.{i}.ln2.hook_scale", ours: undefined, note: "compute it from `layers.{i}.middle`" },
  {
    theirs: "blocks.{i}.attn.hook_q",
    ours: "layers.{i}.attention.query",
    note: `${byHead}; normalized and rotated: of a model with rotary embedding it is hook_rot_q`,
  },
  { theirs: "blocks.{i}.attn.hook_rot_q", ours: "layers.{i}.attention.query", note: byHead },
  {
    theirs: "blocks.{i}.attn.hook_k",
    ours: "layers.{i}.attention.key",
    note: `${byKvHead}; normalized and rotated: of a model with rotary embedding it is hook_rot_k`,
  },
  { theirs: "blocks.{i}.attn.hook_rot_k", ours: "layers.{i}.attention.key", note: byKvHead },
  { theirs: "blocks.{i}.attn.hook_v", ours: "layers.{i}.attention.value", note: byKvHead },
  {
    theirs: "blocks.{i}.attn.hook_attn_scores",
    ours: "layers.{i}.attention.scores",
    note: "is read and not replaced; `dots` and `capped` are the scores before softcap and biases",
  },
  { theirs: "blocks.{i}.attn.hook_pattern", ours: "layers.{i}.attention.weights", note: "" },
  { theirs: "blocks.{i}.attn.hook_z", ours: "layers.{i}.attention.heads", note: byHead },
  {
    theirs: "blocks.{i}.attn.hook_result",
    ours: undefined,
    note: "call `headContributions(heads, output)`, which returns [B, H, T, C]",
  },
  {
    theirs: "blocks.{i}.mlp.hook_pre",
    ours: undefined,
    note: "read `layers.{i}.feedForwardHidden`, the neurons after the activation",
  },
  { theirs: "blocks.{i}.mlp.hook_post", ours: "layers.{i}.feedForwardHidden", note: "" },
  {
    theirs: "ln_final.hook_normalized",
    ours: undefined,
    note: 'call `model.apply(params, ids, { output: "rows" })`',
  },
  {
    theirs: "ln_final.hook_scale",
    ours: undefined,
    note: "compute it from the `output` of the last layer; `logitParts` applies it",
  },
];

/** Functions and methods of TransformerLens, and the functions here. */
export const transformerLensFunctions: readonly NameInTransformerLens[] = [
  {
    theirs: "HookedTransformer.from_pretrained",
    ours: "load",
    note: "of `@qkv/transformer`; nothing is folded or centered",
  },
  {
    theirs: "HookedTransformer.load_state_dict",
    ours: "loadTransformerLens",
    note: "of `@qkv/lens/transformer-lens`, from a safetensors file",
  },
  {
    theirs: "HookedTransformer.state_dict",
    ours: "transformerLensCheckpoint",
    note: "of `@qkv/lens/transformer-lens`",
  },
  { theirs: "run_with_cache", ours: "runWithTrace", note: "`names` in place of names_filter" },
  { theirs: "run_with_hooks", ours: "runWithTrace", note: "option `hooks`" },
  {
    theirs: "to_tokens",
    ours: undefined,
    note: "call `model.tokenizer.encode`; functions here take a text as well",
  },
  { theirs: "cache.decompose_resid", ours: "decomposeResidual", note: "`heads: false`" },
  { theirs: "cache.stack_head_results", ours: "decomposeResidual", note: "parts of kind `head`" },
  { theirs: "cache.accumulated_resid", ours: "logitLens", note: "logits after each layer" },
  {
    theirs: "cache.logit_attrs",
    ours: "logitParts",
    note: "with the final norm's scale frozen, as apply_ln",
  },
  { theirs: "patching.generic_activation_patch", ours: "activationPatching", note: "" },
  { theirs: "patching.get_act_patch_resid_pre", ours: "activationPatching", note: '`names: ["input"]`' },
  { theirs: "patching.get_act_patch_resid_mid", ours: "activationPatching", note: '`names: ["middle"]`' },
  {
    theirs: "patching.get_act_patch_attn_out",
    ours: "activationPatching",
    note: '`names: ["attentionOutput"]`',
  },
  {
    theirs: "patching.get_act_patch_mlp_out",
    ours: "activationPatching",
    note: '`names: ["feedForwardOutput"]`',
  },
  {
    theirs: "patching.get_act_patch_attn_head_out_all_pos",
    ours: "activationPatching",
    note: '`names: ["heads"], by: "head"`',
  },
  {
    theirs: "patching.get_act_patch_attn_head_pattern_all_pos",
    ours: "activationPatching",
    note: '`names: ["weights"], by: "head"`',
  },
  {
    theirs: "head_detector.detect_head",
    ours: "headScores",
    note: "with `previousToken`, `sameToken` or `induction`",
  },
  { theirs: "SVDInterpreter", ours: "singularVectors", note: "of the OV matrix" },
  { theirs: "FactoredMatrix", ours: "ovCircuit", note: "and `qkCircuit`, over chosen tokens" },
  { theirs: "evals.evaluate_on_dataset", ours: "evaluate", note: "of `@qkv/transformer`" },
];

/**
 * Converts the name of a TransformerLens hook point to the name of the tensor here.
 *
 * @param name - A hook point: `blocks.3.attn.hook_pattern`.
 * @returns A full name for `runWithTrace`: `layers.3.attention.weights`.
 * @throws {ArgumentError} If there is no such hook point, or no such tensor here.
 * @see https://transformerlensorg.github.io/TransformerLens
 *
 * @example
 * ```ts
 * import { fromTransformerLens } from "@qkv/lens/transformer-lens";
 *
 * fromTransformerLens("blocks.3.attn.hook_pattern"); // => "layers.3.attention.weights"
 * ```
 */
export function fromTransformerLens(name: string): string {
  const check: Checks = checks("fromTransformerLens");
  check.type({ name }, "string");
  const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
  const general = layer === undefined ? name : name.replace(`blocks.${layer}.`, "blocks.{i}.");
  const known = transformerLensHooks.find(({ theirs }) => theirs === general);
  if (!known) {
    const nearest = nearestName(
      general,
      transformerLensHooks.map(({ theirs }) => theirs),
    );
    const fix = nearest
      ? `did you mean \`${nearest}\`?`
      : "give a name such as `blocks.0.attn.hook_pattern`.";
    check.refuse({ argument: "name", received: name, expected: "a hook point of TransformerLens", fix });
  }
  if (known.ours === undefined) {
    check.refuse({
      argument: "name",
      received: name,
      expected: "a tensor that is traced here",
      fix: `${known.note.replace("{i}", String(layer))}.`,
    });
  }
  return layer === undefined ? known.ours : known.ours.replace("{i}", layer);
}
