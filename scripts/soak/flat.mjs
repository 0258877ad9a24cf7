const mebibyte = 2 ** 20;

/**
 * Compares the maximum of memory use (or of counts) in the second half of a run with that in the first half.
 *
 * @param {Record<string, number>[]} samples - Bytes or counts by kind, in the order of time.
 * @param {Record<string, { slack: number, unit?: number }>} kinds - `slack`: allowed growth beyond 5 %, in `unit`; `unit`: divisor of printed numbers, default 1 MiB.
 * @param {(right: boolean, line: string) => void} report
 */
export function reportFlat(samples, kinds, report) {
  const half = Math.floor(samples.length / 2);
  for (const [kind, { slack, unit = mebibyte }] of Object.entries(kinds)) {
    const most = (part) => Math.max(...part.map((each) => each[kind])) / unit;
    const [early, late] = [most(samples.slice(0, half)), most(samples.slice(half))];
    const flat = late <= early * 1.05 + slack;
    const name = unit === mebibyte ? " MiB" : "";
    report(flat, `${flat ? "flat" : "growing"}: ${kind}, ${early.toFixed(1)} then ${late.toFixed(1)}${name}`);
  }
}
