import type { GpuBuffer } from "./buffers.js";
import { slotBytes } from "./params.js";

/** Properties of a dispatch that determine its pipeline. */
type Described = {
  /** Name of the operation, for errors and labels. */
  readonly op: string;
  text(): string;
  readonly reads: readonly GpuBuffer[];
  readonly writes: readonly GpuBuffer[];
};

/** Descriptor of a dispatch's pipeline, and the layout of its bindings: parameters, read buffers, written buffers. */
export function describePipeline(
  device: GPUDevice,
  { op, text, reads, writes }: Described,
  subgroups: boolean,
): { layout: GPUBindGroupLayout; descriptor: GPUComputePipelineDescriptor } {
  const storage = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
    binding,
    visibility: 4,
    buffer: { type },
  });
  const layout = device.createBindGroupLayout({
    entries: [
      {
        binding: 0,
        visibility: 4,
        buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: slotBytes },
      },
      ...reads.map((_, i) => storage(i + 1, "read-only-storage")),
      ...writes.map((_, i) => storage(reads.length + i + 1, "storage")),
    ],
  });
  const code = `${subgroups ? "enable subgroups;\n" : ""}${text()}`;
  const descriptor = {
    label: op,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label: op, code }) },
  };
  return { layout, descriptor };
}

/** Bind group for the layout of {@link describePipeline}. */
export function createBindGroup(
  device: GPUDevice,
  layout: GPUBindGroupLayout,
  params: GPUBuffer,
  buffers: readonly GpuBuffer[],
): GPUBindGroup {
  return device.createBindGroup({
    layout,
    entries: [
      { binding: 0, resource: { buffer: params, size: slotBytes } },
      ...buffers.map(({ buffer }, i) => ({ binding: i + 1, resource: { buffer } })),
    ],
  });
}
