/** Makes the numbers of a figure for choices. An answer that is no longer wanted is aborted; `host` is the element. */
export type Ask<Model, Choices> = (
  choices: Choices,
  options: { signal: AbortSignal; host: HTMLElement },
) => Promise<Model>;
