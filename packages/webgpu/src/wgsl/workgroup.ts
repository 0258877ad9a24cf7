/** Subgroup operation that reduces `value`, by the expression that combines two numbers. A function, so that importing builds no text. */
const bySubgroup = (): Record<string, string> => ({
  "a + b": "subgroupAdd(value)",
  "max(a, b)": "subgroupMax(value)",
  "larger(a, b)": "select(subgroupMax(value), notANumber(), subgroupAny(isNan(value)))",
});

/**
 * WGSL of a function that reduces a number of each thread of a workgroup and returns the result to all threads: by a tree in
 * workgroup memory, or first within subgroups.
 *
 * @param name - Name of the function.
 * @param type - Type of the numbers.
 * @param size - Threads of the workgroup.
 * @param fold - Expression that combines two numbers, `a` and `b`.
 * @param subgroups - True to reduce within subgroups first, if WGSL has an operation for it. Pass it to `mainText`, too.
 */
export function foldText(name: string, type: string, size: number, fold: string, subgroups: boolean): string {
  const inSubgroup = subgroups ? bySubgroup()[fold] : undefined;
  if (inSubgroup)
    return `var<workgroup> ${name}Parts: array<${type}, ${size / 4}>;
fn ${name}(value: ${type}, thread: u32) -> ${type} {
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
fn ${name}(value: ${type}, thread: u32) -> ${type} {
  ${name}Parts[thread] = value;
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
