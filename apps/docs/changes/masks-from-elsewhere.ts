import { type Change } from "../src/live/change";

export default [
  {
    label: "Write FlashAttention’s window as (4, 0)",
    edits: [{ find: "windowFromFlashAttention(3, 0)", replace: "windowFromFlashAttention(4, 0)" }],
    says: "Five keys instead of four: FlashAttention counts the tokens before the query and not the query itself.",
    outcome: ({ checks }) =>
      checks["FlashAttention: the same four keys"] === false && checks["Keras: the same four keys"] === true,
  },
] satisfies readonly Change[];
