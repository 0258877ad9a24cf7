import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Serve a million users",
    set: { "users at a time": "1,000,000" },
    says: "A thousand times the users need 816 times the machines. Larger copies, of 64 machines each, hold more users, so every weight that is read serves more of them.",
    outcome: ({ lines }, before) => {
      const times = numbersAfter(lines, "machines: ")[0]! / numbersAfter(before.lines, "machines: ")[0]!;
      return times === 816;
    },
  },
] satisfies readonly Change[];
