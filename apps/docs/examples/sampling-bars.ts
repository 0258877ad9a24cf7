import { print, show, slider } from "@qkv/page";
import { candidates } from "@qkv/transformer";
import { bars } from "@qkv/viz";

// Logits that a model might give after "The weather today is".
const words = ["sunny", "cloudy", "nice", "cold", "terrible", "a", "purple"];
const logits = [4, 3.4, 3, 2.6, 1.5, 0.8, -2];

const temperature = slider("temperature", {
  min: 0,
  max: 3,
  step: 0.1,
  value: 2,
});
const topK = slider("top-k", { min: 1, max: 7, value: 7 });
const topP = slider("top-p", { min: 0.05, max: 1, step: 0.05, value: 1 });
const minP = slider("min-p", { min: 0, max: 1, step: 0.05, value: 0 });

const left = candidates(logits, { temperature, topK, topP, minP });
const data = words.map(
  (_, id) => left.find((one) => one.id === id)?.probability ?? 0,
);
show(
  bars(
    { data, shape: [data.length] },
    { labels: words, title: "probability of each word", max: 1 },
  ),
);
print(
  `${left.length} of ${words.length} words remain; the most likely has ${(100 * left[0]!.probability).toFixed(1)}%`,
);

const asItIs = candidates(logits, { temperature: 1 }).at(-1);
print(
  `“purple”: ${(100 * asItIs!.probability).toFixed(1)}% at temperature 1, ${(100 * data.at(-1)!).toFixed(1)}% now`,
);

// Check what the page says about the sliders.
const shares = (sampling: Parameters<typeof candidates>[1]) =>
  candidates(logits, sampling);
const check = (holds: boolean, what: string) => {
  if (!holds) throw new Error(`Not true: ${what}.`);
};
check(shares({ temperature: 0 }).length === 1, "temperature 0 leaves one word");
check(
  shares({ temperature: 0.5 })[0]!.probability >
    shares({ temperature: 1 })[0]!.probability,
  "a low temperature is surer",
);
check(shares({ temperature: 1, topK: 3 }).length === 3, "top-k keeps k");
check(
  shares({ temperature: 1, topP: 0.9 }).every(({ id }) => id !== 6),
  "top-p drops the tail",
);
// The same share of the most likely word keeps more words where the model is
// less sure.
check(
  shares({ temperature: 1, minP: 0.2 }).length <
    shares({ temperature: 2, minP: 0.2 }).length,
  "min-p keeps more words at a higher temperature",
);
