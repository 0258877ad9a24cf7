import type { Opened } from "./open.js";

/** A submitted run of a compute shader. */
export type ShaderRun = {
  /** Name of its operation: `attention`. An operation may have several runs. */
  readonly op: string;
  /** WGSL. */
  readonly code: string;
  /** Workgroups along x, y and z. */
  readonly groups: readonly [x: number, y: number, z: number];
  /** Bytes of the buffers that it reads, rounded up to their size classes (2ⁿ or 1.5 · 2ⁿ), in the order of the bindings. */
  readonly reads: readonly number[];
  /** Bytes of the buffers that it writes, likewise. */
  readonly writes: readonly number[];
};

type Buffer = { readonly size: number };
type Layout = { readonly entries: readonly GPUBindGroupLayoutEntry[] };
type Group = { readonly layout: Layout; readonly entries: readonly { resource: { buffer: Buffer } }[] };
type Pipeline = { readonly op: string; readonly code: string };

/**
 * A device without a GPU, which records the submitted runs and computes nothing.
 *
 * @param subgroups - True if shaders may use subgroup operations.
 */
export function noGpu(subgroups: boolean): { readonly opened: Opened; readonly runs: ShaderRun[] } {
  const runs: ShaderRun[] = [];
  const nothing = () => undefined;
  const identity = <T>(descriptor: T) => descriptor;
  const device = {
    limits: { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 },
    lost: new Promise(nothing),
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: () => Promise.resolve() },
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    destroy: nothing,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: nothing }),
    createBindGroupLayout: identity<Layout>,
    createPipelineLayout: nothing,
    createShaderModule: identity<GPUShaderModuleDescriptor>,
    createComputePipeline: ({
      label = "",
      compute,
    }: {
      label?: string;
      compute: { module: GPUShaderModuleDescriptor };
    }): Pipeline => ({ op: label, code: compute.module.code }),
    createBindGroup: identity<Group>,
    createCommandEncoder: () => ({
      copyBufferToBuffer: nothing,
      finish: nothing,
      beginComputePass() {
        let pipeline: Pipeline;
        let group: Group;
        return {
          setPipeline: (set: Pipeline) => void (pipeline = set),
          setBindGroup: (_: number, set: Group) => void (group = set),
          dispatchWorkgroups(x: number, y: number, z: number) {
            const sizes = (type: GPUBufferBindingType) =>
              group.entries
                .filter((_, i) => group.layout.entries[i]!.buffer?.type === type)
                .map(({ resource }) => resource.buffer.size);
            const [reads, writes] = [sizes("read-only-storage"), sizes("storage")];
            runs.push({ ...pipeline, groups: [x, y, z], reads, writes });
          },
          end: nothing,
        };
      },
    }),
  };
  return {
    opened: {
      device: device as unknown as GPUDevice,
      info: { name: "no GPU", software: true },
      subgroups,
    },
    runs,
  };
}
