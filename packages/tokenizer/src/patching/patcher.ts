/**
 * Segments bytes into patches. Its rule decides before each byte and sees only earlier bytes: generation, byte by byte,
 * gives the same patches as reading the whole (incremental patching).
 *
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 2
 */
export type Patcher = {
  readonly name: string;
  /** Its rule reads entropies. */
  readonly readsEntropy: boolean;
  /** The rule for one text, asked once for each byte, in order. */
  start(): PatchRule;
};

/**
 * Tells that a patch starts before the next byte.
 *
 * @param previous - The byte before it, or undefined at the start of the text, where a patch starts in any case.
 * @param entropy - The entropy of the next byte, in nats; 0 where the patcher reads none.
 */
export type PatchRule = (previous: number | undefined, entropy: number) => boolean;
