/**
 * Computes the model of a figure for some choices. `signal` is aborted when other choices are made in the meantime; `host` is the
 * element of the figure.
 */
export type Ask<Model, Choices> = (
  choices: Choices,
  options: { signal: AbortSignal; host: HTMLElement },
) => Promise<Model>;
