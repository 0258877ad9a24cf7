/**
 * Segments bytes into patches. Its rule decides before each byte from earlier bytes only, so that generation, byte by byte,
 * gives the same patches as reading the whole (incremental patching).
 *
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 2
 */
export type Patcher = {
  readonly name: string;
  /** True if the rule uses entropies. */
  readonly readsEntropy: boolean;
  /** Creates the rule for one text, which is called once per byte, in order. */
  start(): PatchRule;
};

/**
 * True if a patch starts before the next byte.
 *
 * @param previous - The byte before it, or undefined at the start of the text, where a patch starts in any case.
 * @param entropy - The entropy of the next byte, in nats; 0 for patchers without entropies.
 */
export type PatchRule = (previous: number | undefined, entropy: number) => boolean;
