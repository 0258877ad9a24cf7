/** A value of a running template. */
export type Value = { readonly type?: string; readonly value: unknown };

/**
 * How large a value is when it is written out. Unit: characters, and one for each item. A list that stands several times
 * in another counts each time, but is counted once: `[x, x]` of `[x, x]` of … is measured as fast as it was made.
 */
export function valueSizes(): (value: Value) => number {
  const known = new WeakMap<object, number>();
  const sizeOf = (value: Value): number => {
    const { value: content } = value;
    if (typeof content === "string") return content.length;
    const items = Array.isArray(content)
      ? (content as Value[])
      : content instanceof Map
        ? [...(content as Map<string, Value>)].flatMap(([key, item]) => [{ value: key }, item])
        : undefined;
    if (!items) return 1;
    let size = known.get(content as object);
    if (size === undefined) {
      size = items.reduce((sum, item) => sum + 1 + sizeOf(item), 1);
      known.set(content as object, size);
    }
    return size;
  };
  return sizeOf;
}
