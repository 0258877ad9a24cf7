import { checks } from "@qkv/core";
import { uniform } from "@qkv/tensor";
import type { TextPairs } from "./text-pairs.js";

const months = "January February March April May June July August September October November December".split(
  " ",
);
const years = { first: 1900, count: 200 };

/**
 * Pairs of written dates and ISO 8601 dates: "3 May 1979" and "1979-05-03". Days of the Gregorian calendar
 * from 1900 to 2099, drawn uniformly, in three notations: "3 May 1979", "May 3, 1979" and "03.05.1979".
 *
 * @param seed - Integer; another seed draws other dates.
 * @returns A function from an index to a pair. The same index gives the same pair.
 *
 * @example
 * ```ts
 * import { dates } from "@qkv/transformer/tasks";
 *
 * dates({ seed: 1 })(0); // => { source: "January 19, 2078", target: "2078-01-19" }
 * ```
 */
export function dates(options: { seed: number }): TextPairs {
  const check = checks("dates");
  const { seed } = check.options(options, ["seed"]);
  check.whole({ seed });
  return (index) => {
    const [dayDraw, notationDraw] = uniform([2], { seed, first: index * 2, dtype: "float64" })
      .data as Float64Array;
    const days = (Date.UTC(years.first + years.count, 0, 1) - Date.UTC(years.first, 0, 1)) / dayMs;
    const target = new Date(Date.UTC(years.first, 0, 1) + Math.floor(dayDraw! * days) * dayMs)
      .toISOString()
      .slice(0, 10);
    const [year, month, day] = target.split("-") as [string, string, string];
    const name = months[Number(month) - 1]!;
    const notations = [
      `${Number(day)} ${name} ${year}`,
      `${name} ${Number(day)}, ${year}`,
      `${day}.${month}.${year}`,
    ];
    return { source: notations[Math.floor(notationDraw! * notations.length)]!, target };
  };
}

const dayMs = 86_400_000;
