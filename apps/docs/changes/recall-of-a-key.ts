import { numbersAfter, type Change, type Result } from "../src/live/change";

/** Percent of keys recalled, of 2, 4, 8, 12, 16, 24, 32, 48 and 64 that were stored. */
const recalled = ({ lines }: Result, layer: string) => numbersAfter(lines, `${layer}: recalls `).slice(0, 9);

export default [
  {
    label: "Double the rows of the state",
    edits: [{ find: "const D = 8;", replace: "const D = 16;" }],
    says:
      "The curves of both states move to the right: 16 rows hold 16 keys almost without error, and of 64 keys many more are " +
      "recalled than before. A state that should hold twice as much must be twice as large.",
    outcome: (after, before) =>
      ["linear attention", "delta rule"].every((layer) => {
        const [now, then] = [recalled(after, layer), recalled(before, layer)];
        return now[4]! >= 95 && now[8]! > then[8]! + 15;
      }),
  },
  {
    label: "Store every key twice",
    set: { "each key is stored": "twice" },
    says:
      "Only the delta rule gives the new value: it removes what the state holds for a key before it writes. Linear attention " +
      "adds the new value to the old one, and softmax gives both equal weights, so each finds the right one half of the time.",
    outcome: (after) =>
      recalled(after, "delta rule")[2]! > 85 &&
      ["linear attention", "softmax"].every((layer) => Math.abs(recalled(after, layer)[2]! - 50) < 12),
  },
  {
    label: "Tell softmax which is newer",
    edits: [
      {
        find: "attention(mul(q, exp(sharpness)), k, v),",
        replace:
          "attention(mul(q, exp(sharpness)), k, v, {\n      bias: mul(expandDims(arange(k.shape[2]!), 0), 0.1), // later keys score higher\n    }),",
      },
    ],
    set: { "each key is stored": "twice" },
    says:
      "With a score that grows with the position, softmax attention finds the newer of two equal keys. It could not know it " +
      "before: without positions, a cache is a set, not a list. It still stores both.",
    outcome: (after) => recalled(after, "softmax")[4]! > 90,
  },
] satisfies readonly Change[];
