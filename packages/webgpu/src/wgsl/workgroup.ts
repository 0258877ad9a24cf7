/** The fold of `own` over a subgroup, by the expression that folds two numbers. Made when it is asked for. */
const bySubgroup = (): Record<string, string> => ({
  "a + b": "subgroupAdd(own)",
  "max(a, b)": "subgroupMax(own)",
  "larger(a, b)": "select(subgroupMax(own), notANumber(), subgroupAny(isNan(own)))",
});

/**
 * WGSL of a function that folds a number of each thread of a workgroup into one that all get: a tree in workgroup memory,
 * or first within each subgroup.
 *
 * @param name - Of the function.
 * @param type - Of the numbers.
 * @param size - Threads of the workgroup.
 * @param fold - Expression of two numbers, `a` and `b`.
 * @param subgroups - True to fold by subgroups where WGSL has an operation for it. `mainText` has to be told, too.
 */
export function foldText(name: string, type: string, size: number, fold: string, subgroups: boolean): string {
  const inSubgroup = subgroups ? bySubgroup()[fold] : undefined;
  if (inSubgroup)
    return `var<workgroup> ${name}Parts: array<${type}, ${size / 4}>;
fn ${name}(own: ${type}, thread: u32) -> ${type} {
  let part = ${inSubgroup};
  if (subgroupElect()) { ${name}Parts[subgroupNumber] = part; }
  workgroupBarrier();
  var all = ${name}Parts[0];
  for (var i = 1u; i < subgroupCount; i++) {
    let a = all;
    let b = ${name}Parts[i];
    all = ${fold};
  }
  workgroupBarrier();
  return all;
}`;
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
