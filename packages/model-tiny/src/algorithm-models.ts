import { base64Bytes } from "./base64-bytes.js";

/** A file in the names of TransformerLens, of its own at each call. */
const modelFile = (name: string, { weights }: { readonly weights: string }): File =>
  new File([base64Bytes(weights)], `${name}.safetensors`);

/**
 * A model that tells balanced brackets from others: two layers of two heads and 32 neurons, causal. It reads `start ( ( ) ) end`
 * with up to 24 brackets, the ids of `encodeBrackets` of `@qkv/transformer/tasks`, and has two answers at `end`: 0 unbalanced, 1 balanced.
 *
 * @returns A safetensors file in the names of TransformerLens, with the configuration in its metadata: for `loadTransformerLens` of
 *   `@qkv/lens/transformer-lens`. Weights are float16. It comes with the package and is imported at the first call.
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
 * A model that tells palindromes of twelve digits from others: two layers of two heads and nothing else, bidirectional. It reads
 * `start 1 2 3 4 5 6 6 5 4 3 2 1 end`, where the id of `start` is 10 and that of `end` 11, and has two answers at `end`: 1 for a palindrome.
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
 * A model that sorts: one layer of two heads and nothing else, causal. It reads eight different numbers from 0 to 31, a separator, whose id is
 * 32, and continues with the same numbers in order.
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
