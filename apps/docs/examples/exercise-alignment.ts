import { attentionWeights } from "@qkv/attention";
import { check, show } from "@qkv/page";
import { tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// The annotation of each word: is it a day, a month, a year?
const read = ["3", "May", "1979"];
const notes = { day: [6, 0, 0], month: [0, 6, 0], year: [0, 0, 6] };
const key = tensor(Object.values(notes).flat(), { shape: [1, 1, 3, 3] });

// Letter that the decoder needs at each step. Change this.
const asks: (keyof typeof notes)[] = ["day", "month", "year"];
const query = tensor(
  asks.flatMap((name) => notes[name]),
  { shape: [1, 1, asks.length, 3] },
);

const { data } = attentionWeights(query, key);
const rowLabels = asks.map((_, i) => `step ${i + 1}`);
show(
  attentionMap(
    { data, shape: [asks.length, 3] },
    { rowLabels, columnLabels: read },
  ),
);
const looks = (step: number, word: string) =>
  (data[3 * step + read.indexOf(word)] ?? 0) > 0.9;
check("the first step looks at the year", looks(0, "1979"));
check("the second step looks at the month", looks(1, "May"));
check("the third step looks at the day: 1979-05-03", looks(2, "3"));
