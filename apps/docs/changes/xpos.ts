import { numbersIn, type Change } from "../src/live/change";

const far = (readings: readonly string[]) =>
  Math.abs(numbersIn(readings.find((text) => text.startsWith("xPos") && text.includes(" 127:"))!).at(-1)!);

export default [
  {
    label: "Raise the scale base to 512",
    set: { "scale base, in tokens": 512 },
    says: "The score fades more slowly: at distance 127, more of it is left.",
    outcome: ({ readings }, before) => far(readings) > far(before.readings),
  },
] satisfies readonly Change[];
