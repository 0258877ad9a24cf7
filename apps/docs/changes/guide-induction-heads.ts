import { numbersAfter, type Change } from "../src/live/change";

const seeded = (seed: number): Change => ({
  label: `Train with seed ${seed}`,
  set: { seed: String(seed) },
  says: "Another model, and again heads of the second layer look at the token after an earlier copy. Without them, the loss comes back.",
  outcome: ({ lines, checks }) => {
    const [loss = 9, , without = 0] = numbersAfter(lines, "loss ");
    return Object.values(checks).every(Boolean) && loss < 1 && without > 3;
  },
});

export default [seeded(2), seeded(3)] satisfies readonly Change[];
