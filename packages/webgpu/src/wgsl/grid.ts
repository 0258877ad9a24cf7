import type { Grid } from "../engine.js";

/** Threads of a workgroup, where a kernel has no reason for another number. */
export const threads = 64;

/** Workgroups along x before the next row of them: an axis has at most 65,535. */
const row = 32768;

/** A grid of `count` workgroups. */
export function gridOf(count: number): Grid {
  return count <= row ? [count, 1, 1] : [row, Math.ceil(count / row), 1];
}

/**
 * The head of a kernel of {@link gridOf}: `group` is the workgroup's number, `thread` the thread's within it.
 *
 * @param subgroups - True for a body that folds by subgroups. Default false.
 */
export function mainText(size: number, body: string, subgroups = false): string {
  const [declared, builtins, set] = subgroups
    ? [
        "var<private> subgroupNumber: u32;\nvar<private> subgroupCount: u32;\n",
        ", @builtin(subgroup_id) ownSubgroup: u32, @builtin(num_subgroups) subgroups: u32",
        "\n  subgroupNumber = ownSubgroup;\n  subgroupCount = subgroups;",
      ]
    : ["", "", ""];
  return `${declared}@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32${builtins}) {${set}
  let group = id.y * ${row}u + id.x;
${body}
}`;
}

/** Declares bindings: names of what is read and of what is written, with the types of their elements. */
export function bindingsText(
  reads: Readonly<Record<string, string>>,
  writes: Readonly<Record<string, string>>,
): string {
  const all = [
    ...Object.entries(reads).map(([name, type]) => [name, type, "read"] as const),
    ...Object.entries(writes).map(([name, type]) => [name, type, "read_write"] as const),
  ];
  return all
    .map(
      ([name, type, access], i) =>
        `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: array<${type}>;`,
    )
    .join("\n");
}
