/** A gradient tape, as tensors reference it. `record` is a `Recorder`, whose arguments are ops and tensors. */
export type Tape = { readonly record: (...run: never[]) => void };

/** A tensor's node on a tape. */
export type Node = { readonly tape: Tape };
