import type { Grid } from "../engine.js";

/** Default number of threads of a workgroup. */
export const threads = 64;

/** Workgroups along x. More of them continue along y: an axis has at most 65,535. */
const row = 32768;

/** A grid of at least `count` workgroups. */
export function gridFor(count: number): Grid {
  return count <= row ? [count, 1, 1] : [row, Math.ceil(count / row), 1];
}

/**
 * WGSL of the main function of a kernel with a grid of {@link gridFor}. The body can use `group`, the index of the workgroup,
 * and `thread`, that of the thread within it.
 *
 * @param size - Threads of a workgroup.
 * @param subgroups - True if the body reduces by subgroups. Default false.
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

/** WGSL that declares bindings: buffers that are read and written, by name, with the types of their elements. */
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
