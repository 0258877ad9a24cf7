import { broadcastTo, slice, tensor, transpose, type Tensor } from "@qkv/tensor";
import type { Random } from "./random.js";

/** Puts a tensor on a device. */
export type Move = (x: Tensor) => Tensor;
export type Input = (move: Move) => Tensor;

export const kinds: Record<string, (random: Random) => number> = {
  ordinary: (random) => (random(2000) - 1000) / 250,
  huge: (random) => (random(2) ? 1e4 : -1e4),
  denormal: (random) => (random(2001) - 1000) * 1e-42,
  infinite: (random) => random.choose(Infinity, -Infinity, 1, -2),
  "not a number": (random) => random.choose(NaN, 0, -0, 3),
  mixed: (random) => random.choose(0, -0, 1e-40, -1e4, 1e4, 0.5, -3, 1e15, Infinity, NaN),
};

/** Values of a kind, mixed with ordinary ones. */
export function numbers(random: Random, shape: readonly number[], kind: string): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, () => kinds[random(4) ? "ordinary" : kind]!(random));
  return tensor(values, { shape });
}

/** A tensor of a shape with one of several memory layouts. */
export function laidOut(random: Random, shape: readonly number[], kind: string): Input {
  const way = random(4);
  const last = shape.length - 1;
  if (way === 1 && last > 0) {
    const base = numbers(random, [...shape.slice(0, -2), shape[last]!, shape[last - 1]!], kind);
    return (move) => transpose(move(base));
  }
  if (way === 2 && last >= 0) {
    const axis = random(shape.length);
    const base = numbers(
      random,
      shape.map((length, i) => (i === axis ? length + 3 : length)),
      kind,
    );
    return (move) => slice(move(base), axis, 2, 2 + shape[axis]!);
  }
  if (way === 3 && last >= 0) {
    const axis = random(shape.length);
    const base = numbers(
      random,
      shape.map((length, i) => (i === axis ? 1 : length)),
      kind,
    );
    return (move) => broadcastTo(move(base), shape);
  }
  const base = numbers(random, shape, kind);
  return (move) => move(base);
}

export const length = (random: Random) => random.choose(0, 1, 2, 3, 5, 8, 9, 17, 33, 64, 65);
export const kindOf = (random: Random) => random.choose(...Object.keys(kinds));

/** A shape of up to three axes; sometimes large enough for several threads. */
export function shapeOf(random: Random): number[] {
  if (random(4) === 0) return random.choose([70_001], [131, 513], [3, 41, 700]);
  return Array.from({ length: random(4) }, () => length(random));
}
