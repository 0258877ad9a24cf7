import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Serve 64 users at a time",
    set: { "users at a time": "64" },
    says:
      "The weights are read once for all 64 users. With MQA, a token now does 48 FLOPs per byte instead of 1.4. With MHA it is " +
      "only 3.9, because most of the bytes are each user’s own cache.",
    outcome: ({ lines }) =>
      numbersAfter(lines, "token, MQA: ")[0] === 48.4 && numbersAfter(lines, "token, MHA: ")[0] === 3.9,
  },
] satisfies readonly Change[];
