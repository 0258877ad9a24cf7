import { checks, isFloat, type Shape } from "@qkv/core";
import { checkTensor, type Tensor } from "@qkv/tensor";

/** Returns the shape of a lookup table. Refuses values that are not float tensors. */
export function checkTable(fn: string, argument: string, table: Tensor): Shape {
  const { dtype, shape } = checkTensor(fn, argument, table);
  const fix = `use \`cast(${argument}, "float32")\`.`;
  checks(fn).each({ [argument]: dtype }, () => isFloat(dtype), "of type float32 or float64", fix);
  return shape;
}
