/** A value of a running template. */
export type Value = { readonly type?: string; readonly value: unknown };

/** Size of a value as text, and nesting depth of its lists and objects. */
export type ValueSize = {
  /** Unit: characters, and one for each item. A list that occurs several times in another counts each time. */
  readonly size: number;
  readonly depth: number;
};

/**
 * Measures values. An immutable value is measured once, so that nested `[x, x]` takes linear time; a value that holds a
 * namespace is measured again after a namespace changes.
 *
 * @param onRemeasure - Called with the number of items that are measured again.
 */
export function valueSizes(onRemeasure: (items: number) => void) {
  const measuredValues = new WeakMap<object, Measured>();
  let changes = 0;
  const measure = (value: Value): Measured => {
    const { value: content } = value;
    if (typeof content === "string") return { ...unitSize, size: content.length };
    if (!isContainer(value)) return typeof content === "number" ? numberSize : unitSize;
    const found = measuredValues.get(content as object);
    if (found && (!found.mutable || found.changes === changes)) return found;
    measuredValues.set(content as object, { ...cyclic, changes }); // a value that contains itself has infinite size
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
    if (depth >= maxDepth) throw new Error(`it nests lists and objects more than ${maxDepth} deep`);
    if (mutable && found) onRemeasure(items.length);
    const measured = { size, depth: depth + 1, mutable, changes };
    measuredValues.set(content as object, measured);
    return measured;
  };
  return {
    measure: (value: Value): ValueSize => measure(value),
    /** Called after each change of a namespace. */
    changed: () => {
      changes += 1;
    },
  };
}

/** True for a list, an object or a namespace. */
export const isContainer = ({ value }: Value): boolean => Array.isArray(value) || value instanceof Map;

/** Number of items or characters of a value itself, not of its items. */
export function ownLength({ value: content }: Value): number {
  if (typeof content === "string" || Array.isArray(content)) return content.length;
  return content instanceof Map ? content.size : 1;
}

type Measured = ValueSize & { readonly mutable: boolean; readonly changes: number };

const unitSize: Measured = { size: 1, depth: 0, mutable: false, changes: 0 };
const numberSize: Measured = { ...unitSize, size: 8 };
const cyclic: Measured = { size: Infinity, depth: 0, mutable: true, changes: 0 };
const maxDepth = 1000;
