import { print, show, slider } from "@qkv/page";
import { byteLevelBpe } from "@qkv/tokenizer";
import { traceMerges } from "@qkv/tokenizer/tracing";
import { trainBpe } from "@qkv/tokenizer/training";
import { pieces } from "@qkv/viz";

// The example from many tutorials: learn three merges from eleven letters.
const trained = await trainBpe(["aaabdaaabac"], { vocabSize: 259 });
print(
  "learned:",
  trained.merges.map((pair) => pair.join(" + ")).join(", then "),
);

// Encode the text: apply the first learned merge first, wherever it applies.
const { start, steps } = traceMerges(byteLevelBpe(trained), "aaabdaaabac");
const last = slider("steps", { min: 0, max: 6, value: 6 });
const rows = [start, ...steps.map(({ tokens }) => tokens)].slice(0, last + 1);
show(
  pieces(
    rows.map((row, i) => ({
      label: `after ${i} ${i === 1 ? "step" : "steps"}`,
      pieces: row,
    })),
    { title: "Eleven letters become five tokens" },
  ),
);

const final = steps.at(-1)?.tokens.join(" ");
if (final !== "aaab d aaab a c" || steps.length !== 6)
  throw new Error(`unexpected tokens: ${final}`);
