import { exp, logSoftmax, mul, neg, sum, tensor, type Tensor } from "@qkv/tensor";
import { bltPatchLengths } from "@qkv/tokenizer/patching";
import { decoder, type Model } from "@qkv/transformer";

/** An output of the entropy model, by its name in the references; undefined for another name. */
export async function patcherOutput(
  { config, params }: Model,
  ids: Tensor,
  name: string,
): Promise<Tensor | undefined> {
  const { bytePatches } = config;
  if (!bytePatches || !["patcher_logits", "entropies", "patch_lengths"].includes(name)) return undefined;
  const { patcher, threshold } = bytePatches.config;
  const logits = decoder(patcher).apply(params.bytePatches!.patcher, ids); // [B, T, V]
  if (name === "patcher_logits") return logits;
  const logProbs = logSoftmax(logits);
  const entropies = neg(sum(mul(exp(logProbs), logProbs), { axis: -1 })); // [B, T]
  if (name === "entropies") return entropies;
  const lengths = bltPatchLengths((await entropies.read()) as Float32Array, threshold);
  return tensor(lengths, { shape: [1, lengths.length], dtype: "int32", device: ids.device });
}
