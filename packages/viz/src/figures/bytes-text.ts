/** An integer with commas: 17,179,869,184. */
export const countText = (value: number): string => Math.round(value).toLocaleString("en-US");

const units = ["KiB", "MiB", "GiB", "TiB"];

/** Bytes in the largest binary unit of which there is at least 1, with three digits: "2.25 GiB". Below 1,024 exact: "512 B". */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${countText(bytes)} B`;
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${digits(bytes / 1024 ** power)} ${units[power - 1]!}`;
}

/** Seconds in ms, µs or ns, in three digits at most. */
export function timeText(seconds: number): string {
  if (seconds >= 1) return `${digits(seconds)} s`;
  if (seconds >= 1e-3) return `${digits(seconds * 1e3)} ms`;
  return seconds >= 1e-6 ? `${digits(seconds * 1e6)} µs` : `${digits(seconds * 1e9)} ns`;
}

const digits = (value: number) => (value >= 1000 ? countText(value) : String(Number(value.toPrecision(3))));
