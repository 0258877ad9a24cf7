import { packHalf, sizeOf, unpackHalf } from "@qkv/core";
import { mapTensors, tensor } from "@qkv/tensor";

/** All weights as concatenated float16 numbers. */
export function bytesOfWeights<P>(params: P): Uint8Array {
  const numbers: number[] = [];
  mapTensors(params, (x) => {
    for (const value of x.data) numbers.push(Number(value));
    return x;
  });
  return new Uint8Array(packHalf(numbers, "float16").buffer);
}

/** Weights of the shapes of `params`, from the text of {@link bytesOfWeights} in base64. */
export function weightsFromText<P>(params: P, text: string): P {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const numbers = unpackHalf(new Uint16Array(bytes.buffer), "float16");
  let at = 0;
  return mapTensors(params, (x) => {
    const size = sizeOf(x.shape);
    return tensor(numbers.slice(at, (at += size)), { shape: x.shape });
  });
}
