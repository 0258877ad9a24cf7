/**
 * WGSL of a function that folds a number of each thread of a workgroup into one that all get: a tree in workgroup memory.
 *
 * @param name - Of the function.
 * @param type - Of the numbers.
 * @param fold - Expression of two numbers, `a` and `b`.
 */
export function foldText(name: string, type: string, size: number, fold: string): string {
  return `var<workgroup> ${name}Parts: array<${type}, ${size}>;
fn ${name}(own: ${type}, thread: u32) -> ${type} {
  ${name}Parts[thread] = own;
  workgroupBarrier();
  for (var step = ${size / 2}u; step > 0u; step /= 2u) {
    if (thread < step) {
      let a = ${name}Parts[thread];
      let b = ${name}Parts[thread + step];
      ${name}Parts[thread] = ${fold};
    }
    workgroupBarrier();
  }
  let all = ${name}Parts[0];
  workgroupBarrier();
  return all;
}`;
}
