import { causal, slidingWindow, tracedAttention, type Mask } from "@qkv/attention";
import type { Checks } from "@qkv/core";
import { matmul, mul, transpose, type Tensor } from "@qkv/tensor";
import type { AttentionCallChoices } from "@qkv/viz/figures/attention-call";

/** Choices that change the numbers of a call. */
export type AttentionCallOptions = Partial<Pick<AttentionCallChoices, "head" | "mask" | "temperature">>;

/** Queries, keys and values of one head, `[1, 1, T, D]` each. */
export type Head = { query: Tensor; key: Tensor; value: Tensor };

const masks: Record<AttentionCallChoices["mask"], () => Mask | undefined> = {
  causal: () => causal(),
  none: () => undefined,
  window: () => slidingWindow(2),
};

/** Refuses choices that the figure does not offer. */
export function checkOptions(check: Checks, options: AttentionCallOptions & { maxTokens?: number }): void {
  const { mask, temperature } = check.options(options, ["head", "mask", "temperature", "maxTokens"]);
  const isMaskName = (name: unknown) => typeof name === "string" && Object.hasOwn(masks, name);
  if (mask !== undefined)
    check.each({ mask }, isMaskName, "causal, none or window", "give one of the three.");
  if (temperature !== undefined) check.finite({ temperature }, { above: 0 });
}

/** Reads a tensor `[1, …, 1, R, C]` as plain numbers `[R, C]`. */
export async function readMatrix(x: Tensor): Promise<{ data: number[]; shape: [number, number] }> {
  const [R, C] = x.shape.slice(-2) as [number, number];
  return { data: Array.from(await x.read(), Number), shape: [R, C] };
}

/** Runs the attention of one head, and returns all intermediate matrices. */
export async function attend(
  { query, key, value }: Head,
  { mask = "causal", temperature = 1 }: AttentionCallOptions,
) {
  const scale = 1 / (Math.sqrt(query.shape[3]!) * temperature);
  const rule = masks[mask]();
  const traced = tracedAttention(query, key, value, { scale, ...(rule && { mask: rule }) }, [
    "scores",
    "weights",
  ]);
  const dots = matmul(query, transpose(key, 2, 3));
  const masked = await readMatrix(traced.scores);
  return {
    query: await readMatrix(query),
    key: await readMatrix(key),
    value: await readMatrix(value),
    dots: await readMatrix(dots),
    scale,
    scores: await readMatrix(mul(dots, scale)),
    seen: { ...masked, data: masked.data.map((score) => (score === -Infinity ? 0 : 1)) },
    weights: await readMatrix(traced.weights),
    output: await readMatrix(traced.output),
  };
}
