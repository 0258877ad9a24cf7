import { print, show, slider, textField } from "@qkv/page";
import { byteLevelBpe } from "@qkv/tokenizer";
import { sideBySide } from "@qkv/tokenizer/tracing";
import { countWords, learnMerges, trainBpe } from "@qkv/tokenizer/training";
import { lines, pieces } from "@qkv/viz";

const text = textField("training text", {
  value: "low lower lowest new newer newest slow slower slowest",
});
const wanted = slider("merges", { min: 0, max: 40, value: 6 });

// The most frequent pair of neighbors becomes one token, again and again.
const merges = [...learnMerges(countWords(text))].slice(0, wanted);
merges.forEach(({ left, right, count }, i) =>
  print(`${i + 1}. ${left} + ${right} → ${left}${right}, ${count}×`),
);

// Encode the text after each merge and count its tokens.
async function after(merges: number) {
  const tokenizer = byteLevelBpe(
    await trainBpe([text], { vocabSize: 256 + merges }),
  );
  return sideBySide(text, tokenizer)[3];
}
const steps = merges.length + 1;
const cuts = await Promise.all(
  Array.from({ length: steps }, (_, i) => after(i)),
);
const now = cuts.at(-1);
if (now)
  show(
    pieces([now], {
      title: `After ${merges.length} ${merges.length === 1 ? "merge" : "merges"}`,
    }),
  );
const counts = cuts.map((cut) => cut?.pieces.length ?? 0);
show(
  lines(
    { data: counts, shape: [counts.length] },
    { xLabel: "merges", yLabel: "tokens" },
  ),
);

// A merge removes one token wherever it applies, and never more than its count.
merges.forEach(({ count }, i) => {
  const saved = (counts[i] ?? 0) - (counts[i + 1] ?? 0);
  if (saved < 1 || saved > count)
    throw new Error("a merge saved more tokens than its count");
});
