import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Lower the threshold to 0",
    set: { "threshold, in nats": 0 },
    says: "Every byte that is not certain starts a patch. There is one byte per patch, and nothing is saved.",
    outcome: ({ lines }) => numbersAfter(lines, "bytes per patch — entropy above 0: ")[0] === 1,
  },
  {
    label: "Write in German",
    set: { "your text": "Der alte Kapitän sah auf das Meer und sagte nichts." },
    says:
      "3.5 bytes per patch instead of 5.2. The small model has only counted simple English sentences, so German surprises it " +
      "more often.",
    outcome: ({ lines }) => numbersAfter(lines, "bytes per patch — entropy above 2.1: ")[0] === 3.5,
  },
  {
    label: "Use the transformer, on a story",
    set: { "your text": "The goat and the dog had a race.", "small model": "transformer" },
    says:
      "4.6 bytes per patch, compared with 4.0 when splitting after spaces: predictable words share a patch. This model has " +
      "320,160 weights, was trained on small stories, and sees up to 256 bytes back.",
    outcome: ({ lines }) => {
      const [entropy, , spaces] = numbersAfter(lines, "bytes per patch — entropy above 2.1: ");
      return entropy === 4.6 && spaces! > 0;
    },
  },
] satisfies readonly Change[];
