import { Buffers, usage, writeTo, type GpuBuffer } from "./buffers.js";
import { deviceError, lostText, type FailureKind } from "./failures.js";
import { faultError, type FaultKind } from "./fault-errors.js";
import type { Opened } from "./open.js";
import { slotBytes, type Params } from "./params.js";
import { createBindGroup, describePipeline } from "./pipeline.js";

/** One run of a compute shader. */
export type Dispatch = {
  /** Name of the operation, for errors and labels. */
  readonly op: string;
  /** Key of the shader: `text` is called once per key. */
  readonly key: string;
  text(): string;
  /** Buffers of bindings 1, 2, … of group 0: first those that are only read, then `writes`. */
  readonly reads: readonly GpuBuffer[];
  readonly writes: readonly GpuBuffer[];
  readonly params: Params;
  readonly groups: Grid;
};

/** Number of workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

type Pipeline = {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
};

type Command =
  | { readonly dispatch: Dispatch; readonly pipeline: Pipeline }
  | { readonly copy: GpuBuffer; readonly to: GPUBuffer; readonly bytes: number };

/** A failure that the GPU reported after the call that caused it. The next read throws its error. */
type Problem = { readonly op: string; readonly error: (op: string) => Error };

/** Largest number of dispatches of one submission. */
const maxDispatches = 128;
/** Number of most recent commands among which a dispatch can still be extended. */
const maxExtensionDistance = 8;
/** Capacity of the cache of bind groups. */
const maxBindGroups = 4096;
/** Code that kernels of an op write to the shared fault buffer, e.g. for an index out of range. */
export type FaultCode = { readonly op: string; readonly code: number };

/**
 * Records dispatches and submits them together: before a read, or when there are {@link maxDispatches} of them. Failures are
 * reported after the call that caused them: the next read throws them, with the name of their operation.
 */
export class Engine {
  readonly adapter: Opened["info"];
  readonly limits: GPUSupportedLimits;
  /** True if shaders may use subgroup operations. */
  readonly subgroups: boolean;
  readonly buffers: Buffers;
  readonly #device: GPUDevice;
  readonly #params: GPUBuffer;
  readonly #slots = new Uint32Array((maxDispatches * slotBytes) / 4);
  readonly #pipelines = new Map<string, Pipeline>();
  /** Dispatches of a dry run whose shaders are not compiled yet, by key; undefined outside of dry runs. */
  #missing: Map<string, Dispatch> | undefined;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #staging: GPUBuffer[] = [];
  #pending: Command[] = [];
  #dispatches = 0;
  #submission = 0;
  #nextId = 1;
  #settled: Promise<unknown> = Promise.resolve();
  #problem: Problem | undefined;
  #lost: string | undefined;
  #closed = false;
  #flush: Promise<void> | undefined;
  #faults: GpuBuffer | undefined;
  #faultsArmed = false;
  readonly #faultKinds: { readonly op: string; readonly kind: FaultKind }[] = [];
  /** Largest number of FLOPs of a dispatch, if its work can be split: it limits the time of one. */
  maxDispatchFlops = Infinity;
  readonly counts = { dispatches: 0, submissions: 0, pipelines: 0, reads: 0 };

  constructor({ device, info, subgroups }: Opened, idleBudget: number) {
    this.#device = device;
    this.adapter = info;
    this.subgroups = subgroups;
    this.limits = device.limits;
    this.buffers = new Buffers(
      device,
      idleBudget,
      (kind, message) => this.#recordProblem(this.#lastOp(), (op) => deviceError(op, kind, message)),
      (buffer) => buffer.lastUse === this.#submission && this.submit(),
    );
    this.#params = device.createBuffer({
      size: maxDispatches * slotBytes,
      usage: usage.uniform | usage.copyTarget,
    });
    // The next read throws errors from outside of all error scopes.
    device.addEventListener?.("uncapturederror", (event) =>
      this.#recordProblem(this.#lastOp(), (op) => deviceError(op, "validation", event.error.message)),
    );
    void device.lost.then((info) => {
      if (!this.#closed) this.#lost = lostText(info);
    });
  }

  /** Reason for which the device was lost; undefined while it works. */
  get lost(): string | undefined {
    return this.#lost;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Records a dispatch. */
  record(dispatch: Dispatch): void {
    this.check(dispatch.op);
    const [x, y, z] = dispatch.groups;
    if (x * y * z === 0) return;
    if (this.#missing) {
      if (!this.#pipelines.has(dispatch.key)) this.#missing.set(dispatch.key, dispatch);
      return;
    }
    const pipeline = this.#pipeline(dispatch);
    for (const buffer of dispatch.reads) buffer.lastUse = this.#submission;
    for (const buffer of dispatch.writes) buffer.lastUse = this.#submission;
    this.#pending.push({ dispatch, pipeline });
    this.counts.dispatches += 1;
    if (++this.#dispatches === maxDispatches) this.submit();
  }

  /**
   * Replaces a recorded dispatch by one that computes the same and more.
   *
   * @param results - Buffer that the old dispatch writes. Nothing recorded since then may have written to it.
   * @returns False, with no change, if the old dispatch was submitted, or if commands recorded after it use what the new one
   *   writes or write what it reads.
   */
  extend(old: Dispatch, dispatch: Dispatch, results: GpuBuffer): boolean {
    this.check(dispatch.op);
    const writes = dispatch.writes.slice(old.writes.length);
    if (dispatch.reads.some((buffer) => dispatch.writes.includes(buffer))) return false;
    if (this.#missing) {
      if (!this.#pipelines.has(dispatch.key)) this.#missing.set(dispatch.key, dispatch);
      return true;
    }
    let at = this.#pending.length - 1;
    for (; at >= 0 && at >= this.#pending.length - maxExtensionDistance; at--) {
      const command = this.#pending[at]!;
      if ("copy" in command) return false;
      const { dispatch: other } = command;
      if (other === old) break;
      const uses = (buffer: GpuBuffer) => other.reads.includes(buffer) || other.writes.includes(buffer);
      if (writes.some(uses) || other.writes.includes(results)) return false;
      if (dispatch.reads.some((buffer) => other.writes.includes(buffer))) return false;
    }
    const found = this.#pending[at];
    if (!found || !("dispatch" in found) || found.dispatch !== old) return false;
    for (const buffer of [...dispatch.reads, ...dispatch.writes]) buffer.lastUse = this.#submission;
    this.#pending[at] = { dispatch, pipeline: this.#pipeline(dispatch) };
    return true;
  }

  /** True while `missingShaders` runs its function. */
  get dry(): boolean {
    return this.#missing !== undefined;
  }

  /** Runs `f` as a dry run, which records nothing, and returns a dispatch for each shader that is not compiled yet. */
  missingShaders(f: () => void): Dispatch[] {
    const missing = new Map<string, Dispatch>();
    this.#missing = missing;
    try {
      f();
    } finally {
      this.#missing = undefined;
    }
    return [...missing.values()];
  }

  /** Compiles the shader of a dispatch asynchronously. */
  async compile(dispatch: Dispatch): Promise<void> {
    const { op, key } = dispatch;
    this.check(op);
    if (this.#pipelines.has(key)) return;
    const device = this.#device;
    device.pushErrorScope("validation");
    const { layout, descriptor } = describePipeline(device, dispatch, this.subgroups);
    void device.popErrorScope();
    let pipeline: GPUComputePipeline;
    try {
      pipeline = await device.createComputePipelineAsync(descriptor);
    } catch (error) {
      this.check(op);
      throw deviceError(op, "pipeline", error instanceof Error ? error.message : String(error), error);
    }
    this.check(op);
    if (!this.#pipelines.has(key)) this.#addPipeline(key, pipeline, layout);
  }

  /** Writes host numbers to a buffer, after the recorded work that uses it. */
  write(buffer: GpuBuffer, array: ArrayBufferView): void {
    if (buffer.lastUse === this.#submission) this.submit();
    writeTo(this.#device, buffer, array);
  }

  /** Submits the recorded commands, with one write of parameters and one encoder. */
  submit(): void {
    const commands = this.#pending;
    if (commands.length === 0) return;
    this.#pending = [];
    this.#dispatches = 0;
    this.#submission += 1;
    this.counts.submissions += 1;
    const device = this.#device;
    const kinds = ["validation", "out-of-memory", "internal"] as const;
    for (const kind of kinds) device.pushErrorScope(kind);
    const encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let slot = 0;
    for (const command of commands) {
      if ("copy" in command) {
        pass?.end();
        pass = undefined;
        encoder.copyBufferToBuffer(command.copy.buffer, 0, command.to, 0, command.bytes);
        continue;
      }
      const { dispatch, pipeline } = command;
      pass ??= encoder.beginComputePass();
      this.#slots.set(dispatch.params.words, (slot * slotBytes) / 4);
      pass.setPipeline(pipeline.pipeline);
      pass.setBindGroup(0, this.#bindGroup(pipeline, dispatch), [slot * slotBytes]);
      pass.dispatchWorkgroups(...dispatch.groups);
      slot += 1;
    }
    pass?.end();
    if (slot > 0) device.queue.writeBuffer(this.#params, 0, this.#slots, 0, (slot * slotBytes) / 4);
    device.queue.submit([encoder.finish()]);
    const first = commands.find((command) => "dispatch" in command);
    const op = first && "dispatch" in first ? first.dispatch.op : "read";
    const popped = kinds.map(() => device.popErrorScope());
    this.#collectErrors(popped, op);
  }

  /** Reads the first `bytes` bytes of a buffer after all recorded work. Reads in one turn of the event loop share a submission. */
  async read(op: string, buffer: GpuBuffer, bytes: number): Promise<ArrayBuffer> {
    this.check(op);
    this.counts.reads += 1;
    const padded = 4 * Math.ceil(bytes / 4);
    const staging = this.#stage(padded);
    buffer.lastUse = this.#submission;
    this.#pending.push({ copy: buffer, to: staging, bytes: padded });
    this.#flush ??= Promise.resolve().then(() => this.#finish());
    await this.#flush;
    try {
      await staging.mapAsync(1, 0, padded);
    } catch (error) {
      this.check(op);
      throw deviceError(op, "lost", "a read that was given up", error);
    }
    await this.#settled;
    this.#throwProblem();
    const numbers = staging.getMappedRange(0, padded).slice(0, bytes);
    staging.unmap();
    if (this.#staging.length < 8) this.#staging.push(staging);
    else staging.destroy();
    return numbers;
  }

  /** Waits for the recorded work, and throws its failures. */
  async finish(op: string): Promise<void> {
    this.check(op);
    this.submit();
    await this.#device.queue.onSubmittedWorkDone();
    await this.#settled;
    this.check(op);
    this.#throwProblem();
  }

  /** Throws if the device was lost or closed. */
  check(op: string): void {
    if (this.#closed) throw deviceError(op, "closed", "closed");
    if (this.#lost) throw deviceError(op, "lost", this.#lost);
  }

  /**
   * The buffer to which kernels report numbers that their op cannot use, and the code of the op to write there. The next read
   * throws an error that names the op.
   *
   * @param kind - Kind of those numbers. Default: an index out of range.
   */
  faults(op: string, kind: FaultKind = "index"): { buffer: GpuBuffer; code: number } {
    this.#faults ??= this.#zeroed();
    this.#faultsArmed = true;
    let code = this.#faultKinds.findIndex((one) => one.op === op);
    if (code < 0) code = this.#faultKinds.push({ op, kind }) - 1;
    return { buffer: this.#faults, code: code + 1 };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending = [];
    this.#device.destroy();
  }

  async #finish(): Promise<void> {
    this.#flush = undefined;
    const faults = this.#faultsArmed ? this.#faults : undefined;
    let staging: GPUBuffer | undefined;
    if (faults) {
      this.#faultsArmed = false;
      staging = this.#stage(4);
      this.#pending.push({ copy: faults, to: staging, bytes: 4 });
    }
    this.submit();
    if (!staging || !faults) return;
    try {
      await staging.mapAsync(1, 0, 4);
    } catch {
      return;
    }
    const [code] = new Uint32Array(staging.getMappedRange(0, 4));
    staging.unmap();
    staging.destroy();
    if (!code) return;
    this.write(faults, new Uint32Array(4));
    const fault = this.#faultKinds[code - 1];
    if (fault) this.#recordProblem(fault.op, (op) => faultError(op, fault.kind));
    else
      this.#recordProblem("device", (op) =>
        deviceError(op, "validation", `the word ${code}, which no kernel writes`),
      );
  }

  #zeroed(): GpuBuffer {
    const buffer = this.buffers.allocate("indices", 16);
    this.write(buffer, new Uint32Array(4));
    return buffer;
  }

  #stage(bytes: number): GPUBuffer {
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
    const at = this.#staging.findIndex((buffer) => buffer.size === size);
    if (at >= 0) return this.#staging.splice(at, 1)[0]!;
    return this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
  }

  #lastOp(): string {
    const last = this.#pending.at(-1);
    return last && "dispatch" in last ? last.dispatch.op : "device";
  }

  #recordProblem(op: string, error: Problem["error"]): void {
    this.#problem ??= { op, error };
  }

  #throwProblem(): void {
    const problem = this.#problem;
    if (!problem) return;
    this.#problem = undefined;
    throw problem.error(problem.op);
  }

  #collectErrors(errors: readonly Promise<GPUError | null>[], op: string, kind?: FailureKind): void {
    const collected = Promise.all(errors).then(
      (popped) => {
        const [invalid, memory, internal] = popped;
        const error = invalid ?? memory ?? internal;
        if (error)
          this.#recordProblem(op, (op) =>
            deviceError(op, kind ?? (memory ? "memory" : "validation"), error.message),
          );
      },
      () => undefined,
    );
    this.#settled = Promise.all([this.#settled, collected]);
  }

  #pipeline(dispatch: Dispatch): Pipeline {
    const { op, key } = dispatch;
    const cached = this.#pipelines.get(key);
    if (cached) return cached;
    const device = this.#device;
    device.pushErrorScope("validation");
    const { layout, descriptor } = describePipeline(device, dispatch, this.subgroups);
    const pipeline = device.createComputePipeline(descriptor);
    this.#collectErrors([device.popErrorScope()], op, "pipeline");
    return this.#addPipeline(key, pipeline, layout);
  }

  #addPipeline(key: string, pipeline: GPUComputePipeline, layout: GPUBindGroupLayout): Pipeline {
    const created = { id: this.#nextId++, pipeline, layout };
    this.#pipelines.set(key, created);
    this.counts.pipelines += 1;
    return created;
  }

  #bindGroup({ id, layout }: Pipeline, { reads, writes }: Dispatch): GPUBindGroup {
    let key = `${id}`;
    for (const buffer of reads) key += `:${buffer.id}`;
    for (const buffer of writes) key += `:${buffer.id}`;
    let group = this.#groups.get(key);
    if (group) return group;
    if (this.#groups.size >= maxBindGroups) this.#groups.clear();
    group = createBindGroup(this.#device, layout, this.#params, [...reads, ...writes]);
    this.#groups.set(key, group);
    return group;
  }
}
