/**
 * A value as a reader wants to see it: text as it is, numbers short, lists and objects in one line while they fit,
 * tensors with their shape.
 */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : inner(value, []);
}

const longest = 100; // items of a list
const deepest = 4;
const widest = 80; // letters of a line

function inner(value: unknown, around: readonly object[]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name || "(anonymous)"}]`;
  if (typeof value === "number") return short(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (around.includes(value)) return "[circular]";
  const within = [...around, value];
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[no date]" : value.toISOString();
  if (isTensor(value)) return `[${value.shape.join(", ")}] ${value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const numbers = value as Float32Array;
    const shown = Array.from(numbers.subarray(0, longest), (x) => inner(x, within));
    return list("[", shown, "]", around.length, numbers.length);
  }
  if (around.length >= deepest) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value))
    return list(
      "[",
      value.slice(0, longest).map((item) => inner(item, within)),
      "]",
      around.length,
      value.length,
    );
  if (value instanceof Map) {
    const entries = firstItems(value).map(([key, item]) => `${inner(key, within)} => ${inner(item, within)}`);
    return list(`Map(${value.size}) {`, entries, "}", around.length, value.size);
  }
  if (value instanceof Set) {
    return list(
      `Set(${value.size}) {`,
      firstItems(value).map((item) => inner(item, within)),
      "}",
      around.length,
      value.size,
    );
  }
  const kind = typeof name === "string" && name !== "Object" ? `${name} ` : "";
  const keys = Object.keys(value);
  const entries = keys
    .slice(0, longest)
    .map((key) => `${key}: ${inner((value as Record<string, unknown>)[key], within)}`);
  return list(`${kind}{`, entries, "}", around.length, keys.length);
}

/** As many items as are shown: a list of millions is not walked. */
function firstItems<T>(items: Iterable<T>): T[] {
  const first: T[] = [];
  for (const item of items) if (first.push(item) === longest) break;
  return first;
}

/** In one line if it fits, else an item in each; long lists end with their count. */
function list(open: string, items: string[], close: string, depth: number, count: number): string {
  const shown = count > items.length ? [...items, `… ${count} in all`] : items;
  if (shown.length === 0) return open + close;
  const space = close === "}" ? " " : "";
  const line = `${open}${space}${shown.join(", ")}${space}${close}`;
  if ((line.length <= widest && !line.includes("\n")) || items.every((item) => item.length <= 12))
    return line;
  const indent = "  ".repeat(depth + 1);
  return `${open}\n${shown.map((item) => indent + item).join(",\n")}\n${"  ".repeat(depth)}${close}`;
}

/** Six digits, or all before the point, of what would take more room: `String(x)` has the rest. */
function short(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const whole = String(value);
  if (!Number.isFinite(value) || Number.isInteger(value) || whole.length <= 8) return whole;
  return String(Number(value.toPrecision(Math.max(6, Math.trunc(Math.abs(value)).toString().length))));
}

/** A tensor prints itself; what has only data and shape is an object like others. */
function isTensor(value: object): value is { shape: readonly number[]; toString(): string } {
  return (
    "shape" in value &&
    Array.isArray(value.shape) &&
    "dtype" in value &&
    value.toString !== Object.prototype.toString
  );
}
