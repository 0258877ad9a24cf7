/** @throws {Error} If a value is not the one that is expected. */
export function same(found, expected) {
  if (found !== expected)
    throw new Error(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}
