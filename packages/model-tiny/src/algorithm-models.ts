import { base64Bytes } from "./base64-bytes.js";

/** A safetensors file with the tensor names of TransformerLens, as a new object at each call. */
const modelFile = (name: string, { weights }: { readonly weights: string }): File =>
  new File([base64Bytes(weights)], `${name}.safetensors`);

/**
 * A model that classifies bracket sequences as balanced or not: two layers with two heads and 32 neurons, causal. Its input is `start ( ( ) ) end`
 * with up to 24 brackets, the ids of `encodeBrackets` of `@qkv/transformer/tasks`, and it has two outputs at `end`: 0 unbalanced, 1 balanced.
 *
 * @returns A safetensors file with the tensor names of TransformerLens and the configuration in its metadata, for `loadTransformerLens` of
 *   `@qkv/lens/transformer-lens`. Weights are float16. It is part of the package and is imported at the first call.
 * @experimental
 *
 * @example
 * ```ts
 * import { bracketModel } from "@qkv/model-tiny/algorithms";
 *
 * // const model = await loadTransformerLens(await bracketModel());
 * (await bracketModel()).name; // => "brackets.safetensors"
 * ```
 */
export async function bracketModel(): Promise<File> {
  return modelFile("brackets", await import("./brackets-weights.js"));
}

/**
 * A model that recognizes palindromes of twelve digits: two layers with two heads, without feed-forward layers, bidirectional. Its input is
 * `start 1 2 3 4 5 6 6 5 4 3 2 1 end`, where the id of `start` is 10 and that of `end` 11, and it has two outputs at `end`: 1 for a palindrome.
 *
 * @returns A safetensors file, as of {@link bracketModel}.
 * @experimental
 *
 * @example
 * ```ts
 * import { palindromeModel } from "@qkv/model-tiny/algorithms";
 *
 * (await palindromeModel()).name; // => "palindromes.safetensors"
 * ```
 */
export async function palindromeModel(): Promise<File> {
  return modelFile("palindromes", await import("./palindromes-weights.js"));
}

/**
 * A model that sorts: one layer with two heads, without a feed-forward layer, causal. Its input is eight different numbers from 0 to 31 and a separator, whose id is
 * 32; it continues with the same numbers in order.
 *
 * @returns A safetensors file, as of {@link bracketModel}.
 * @experimental
 *
 * @example
 * ```ts
 * import { sortingModel } from "@qkv/model-tiny/algorithms";
 *
 * (await sortingModel()).name; // => "sorting.safetensors"
 * ```
 */
export async function sortingModel(): Promise<File> {
  return modelFile("sorting", await import("./sorting-weights.js"));
}
