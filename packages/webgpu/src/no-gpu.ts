import type { Opened } from "./open.js";

/** One run of a compute shader, as it is submitted. */
export type ShaderRun = {
  /** The operation that it computes, or a part of: `attention`. */
  readonly op: string;
  /** WGSL. */
  readonly code: string;
  /** Workgroups along x, y and z. */
  readonly groups: readonly [x: number, y: number, z: number];
  /** Bytes of the buffers that it reads, in the order of their bindings: those of their numbers, up to the next size class. */
  readonly reads: readonly number[];
  /** Bytes of the buffers that it writes, likewise. */
  readonly writes: readonly number[];
};

type Buffer = { readonly size: number };
type Layout = { readonly entries: readonly GPUBindGroupLayoutEntry[] };
type Group = { readonly layout: Layout; readonly entries: readonly { resource: { buffer: Buffer } }[] };
type Pipeline = { readonly op: string; readonly code: string };

/**
 * A device without a GPU, which keeps what is submitted to it and computes nothing.
 *
 * @param subgroups - True: it says that shaders may use subgroup operations.
 */
export function noGpu(subgroups: boolean): { readonly opened: Opened; readonly runs: ShaderRun[] } {
  const runs: ShaderRun[] = [];
  const nothing = () => undefined;
  const as = <T>(given: T) => given;
  const device = {
    limits: { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 },
    lost: new Promise(nothing),
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: () => Promise.resolve() },
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    destroy: nothing,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: nothing }),
    createBindGroupLayout: as<Layout>,
    createPipelineLayout: nothing,
    createShaderModule: as<GPUShaderModuleDescriptor>,
    createComputePipeline: ({
      label = "",
      compute,
    }: {
      label?: string;
      compute: { module: GPUShaderModuleDescriptor };
    }): Pipeline => ({ op: label, code: compute.module.code }),
    createBindGroup: as<Group>,
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
