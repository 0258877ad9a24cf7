import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Serve 64 users at a time",
    set: { "users at a time": "64" },
    says:
      "64 users share the reading of the weights: with multi-query attention a token now does 48 FLOPs per byte instead of " +
      "1.4. With multi-head attention it is only 3.9, because each user’s own cache is most of what is read.",
    outcome: ({ lines }) =>
      numbersAfter(lines, "token, MQA: ")[0] === 48.4 && numbersAfter(lines, "token, MHA: ")[0] === 3.9,
  },
] satisfies readonly Change[];
