/** Replaces `modelTiny` in the page of `qkv lens`, whose server has a model: the weights would be most of the bundle. */
export function modelTiny(): never {
  throw new Error("This page has no small model: its server gives one.");
}
