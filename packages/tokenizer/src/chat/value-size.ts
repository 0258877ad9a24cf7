/** A value of a running template. */
export type Value = { readonly type?: string; readonly value: unknown };

/** Size of a value as text, and nesting depth of its lists and objects. */
export type ValueSize = {
  /** Unit: characters, and one for each item. A list that stands several times in another counts each time. */
  readonly size: number;
  readonly depth: number;
};

/**
 * Measures values. What cannot change is measured once, so that `[x, x]` of `[x, x]` of … is measured as fast as it was
 * made; what holds a namespace is measured again after a change of one.
 *
 * @param again - Told how many items are measured again.
 */
export function valueSizes(again: (items: number) => void) {
  const known = new WeakMap<object, Measured>();
  let changes = 0;
  const measure = (value: Value): Measured => {
    const { value: content } = value;
    if (typeof content === "string") return { ...one, size: content.length };
    if (!isContainer(value)) return typeof content === "number" ? number : one;
    const found = known.get(content as object);
    if (found && (!found.mutable || found.changes === changes)) return found;
    known.set(content as object, { ...endless, changes }); // a value that holds itself has no end
    let [size, depth, mutable] = [1, 0, value.type === "NamespaceValue"];
    const items = Array.isArray(content)
      ? (content as Value[])
      : [...(content as Map<string, Value>)].flatMap(([key, item]) => [{ value: key }, item]);
    for (const item of items) {
      const inner = measure(item);
      size += 1 + inner.size;
      depth = Math.max(depth, inner.depth);
      mutable ||= inner.mutable;
    }
    if (depth >= deepest) throw new Error(`it has lists and objects more than ${deepest} deep in each other`);
    if (mutable && found) again(items.length);
    const measured = { size, depth: depth + 1, mutable, changes };
    known.set(content as object, measured);
    return measured;
  };
  return {
    measure: (value: Value): ValueSize => measure(value),
    /** Told after each change of a namespace. */
    changed: () => {
      changes += 1;
    },
  };
}

/** Tells a list, an object or a namespace. */
export const isContainer = ({ value }: Value): boolean => Array.isArray(value) || value instanceof Map;

/** Number of items or characters of a value itself, not of its items. */
export function ownLength({ value: content }: Value): number {
  if (typeof content === "string" || Array.isArray(content)) return content.length;
  return content instanceof Map ? content.size : 1;
}

type Measured = ValueSize & { readonly mutable: boolean; readonly changes: number };

const one: Measured = { size: 1, depth: 0, mutable: false, changes: 0 };
const number: Measured = { ...one, size: 8 };
const endless: Measured = { size: Infinity, depth: 0, mutable: true, changes: 0 };
const deepest = 1000;
