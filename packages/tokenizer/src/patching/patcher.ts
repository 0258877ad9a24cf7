/**
 * Where a text is cut into patches. A rule decides in front of each byte, and knows only what comes before it: so a
 * model that writes byte by byte cuts as one that reads the whole.
 *
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 2
 */
export type Patcher = {
  readonly name: string;
  /** Whether its rule looks at entropies. */
  readonly readsEntropy: boolean;
  /** The rule for one text, asked once for each byte, in order. */
  start(): PatchRule;
};

/**
 * Whether a patch starts in front of the next byte.
 *
 * @param previous - The byte before it, or undefined at the start of the text, where a patch starts in any case.
 * @param entropy - The entropy of the next byte, in nats; 0 where the patcher reads none.
 */
export type PatchRule = (previous: number | undefined, entropy: number) => boolean;
