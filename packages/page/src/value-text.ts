/**
 * A value as text for a reader: strings unchanged, numbers with six significant digits, lists and objects in one line if they
 * fit, tensors with their shape.
 */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : nestedText(value, []);
}

const maxItems = 100; // of a list
const maxDepth = 4; // of nested lists and objects
const maxLineLength = 80; // characters

function nestedText(value: unknown, ancestors: readonly object[]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name || "(anonymous)"}]`;
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (ancestors.includes(value)) return "[circular]";
  const path = [...ancestors, value];
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[no date]" : value.toISOString();
  if (isTensor(value)) return `[${value.shape.join(", ")}] ${value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const numbers = value as Float32Array;
    const shown = Array.from(numbers.subarray(0, maxItems), (x) => nestedText(x, path));
    return listText("[", shown, "]", ancestors.length, numbers.length);
  }
  if (ancestors.length >= maxDepth) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value))
    return listText(
      "[",
      value.slice(0, maxItems).map((item) => nestedText(item, path)),
      "]",
      ancestors.length,
      value.length,
    );
  if (value instanceof Map) {
    const entries = firstItems(value).map(
      ([key, item]) => `${nestedText(key, path)} => ${nestedText(item, path)}`,
    );
    return listText(`Map(${value.size}) {`, entries, "}", ancestors.length, value.size);
  }
  if (value instanceof Set) {
    return listText(
      `Set(${value.size}) {`,
      firstItems(value).map((item) => nestedText(item, path)),
      "}",
      ancestors.length,
      value.size,
    );
  }
  const kind = typeof name === "string" && name !== "Object" ? `${name} ` : "";
  const keys = Object.keys(value);
  const entries = keys
    .slice(0, maxItems)
    .map((key) => `${key}: ${nestedText((value as Record<string, unknown>)[key], path)}`);
  return listText(`${kind}{`, entries, "}", ancestors.length, keys.length);
}

/** The first items, at most `maxItems`, without iterating over the others. */
function firstItems<T>(items: Iterable<T>): T[] {
  const first: T[] = [];
  for (const item of items) if (first.push(item) === maxItems) break;
  return first;
}

/** Items in one line if they fit, else one item per line. Cut lists end with their length. */
function listText(open: string, items: string[], close: string, depth: number, count: number): string {
  const shown = count > items.length ? [...items, `… ${count} in all`] : items;
  if (shown.length === 0) return open + close;
  const space = close === "}" ? " " : "";
  const line = `${open}${space}${shown.join(", ")}${space}${close}`;
  if ((line.length <= maxLineLength && !line.includes("\n")) || items.every((item) => item.length <= 12))
    return line;
  const indent = "  ".repeat(depth + 1);
  return `${open}\n${shown.map((item) => indent + item).join(",\n")}\n${"  ".repeat(depth)}${close}`;
}

/** A number with at most six significant digits, or with all digits before the point if there are more. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const exact = String(value);
  if (!Number.isFinite(value) || Number.isInteger(value) || exact.length <= 8) return exact;
  return String(Number(value.toPrecision(Math.max(6, Math.trunc(Math.abs(value)).toString().length))));
}

/** True for a tensor, which has its own `toString`. An object with only data and shape is printed as an object. */
function isTensor(value: object): value is { shape: readonly number[]; toString(): string } {
  return (
    "shape" in value &&
    Array.isArray(value.shape) &&
    "dtype" in value &&
    value.toString !== Object.prototype.toString
  );
}
