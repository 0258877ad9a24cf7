/** A generator of numbers from 0 to below 1, which are the same for the same seed on every machine. */
export function randomNumbers(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `pick(list)`: a random element. */
export const picker = (random) => (list) => list[Math.floor(random() * list.length)];

/** `some(list, count)`: random elements without repetition. */
export const chooser = (random) => (list, count) => {
  const left = [...list];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]);
};
