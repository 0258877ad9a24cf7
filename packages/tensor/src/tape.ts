/** A gradient tape, as a tensor holds it. Its `record` is a `Recorder`, whose arguments are ops and tensors. */
export type Tape = { readonly record: (...run: never[]) => void };

/** A tensor's place on one tape. */
export type Node = { readonly tape: Tape };
