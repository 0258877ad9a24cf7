// Contenders on WebGPU, in Node with Dawn: ours, jax-js and ONNX Runtime Web, on Dawn's default adapter. Inputs stay on
// the GPU; a call is a batch of computations, and a read of four bytes of the last result.
let opened;

/** Dawn's adapter; undefined if there is none. Also sets `navigator.gpu`, for libraries that use it. */
export function openAdapter() {
  opened ??= find();
  return opened;
}

async function find() {
  // Pages have their own.
  if (globalThis.navigator?.gpu === undefined) {
    // Not found before the peers are installed.
    const dawn = await import("webgpu").catch(() => undefined);
    if (!dawn) return undefined;
    const { create, globals } = dawn;
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), configurable: true });
  }
  const adapter = await globalThis.navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return undefined;
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(" ") || "an unnamed adapter";
  const software = /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name);
  return { name, software, note: software ? `${name}: SOFTWARE, ranks nothing` : name };
}

async function noted() {
  const adapter = await openAdapter();
  if (!adapter) throw new Error("there is no adapter of WebGPU here");
  return { note: adapter.note };
}

/**
 * Our contender.
 *
 * @param build - `(device) => compute`, which returns a tensor.
 * @param batch - Computations of one call.
 */
export function ours(build, { batch, compared }) {
  return {
    name: "@qkv on webgpu",
    kind: "ours",
    resident: "all",
    async prepare() {
      const { note } = await noted();
      const { webgpu } = await import("@qkv/webgpu");
      const { contiguous, reshape, slice } = await import("@qkv/tensor");
      const device = await webgpu();
      const compute = await build(device);
      const first = (x) => slice(reshape(x, [x.shape.reduce((a, b) => a * b, 1)]), 0, 0, 1);
      return {
        note,
        async call() {
          const last = device.scope(() => {
            for (let i = 1; i < batch; i++) device.scope(() => void compute());
            return contiguous(first(compute()));
          });
          await last.read();
        },
        output: async () => compared(await device.scope(compute).read()),
      };
    },
  };
}

/** @param build - `(jax) => ({ compute, inputs })`: a function to compile, and arrays created once. */
export function jax(build, { batch, compared }) {
  return {
    name: "jax-js on webgpu",
    kind: "peer",
    resident: "all",
    async prepare() {
      const { note } = await noted();
      const library = await import("@jax-js/jax");
      await library.init("webgpu");
      library.defaultDevice("webgpu");
      const { compute, inputs } = build(library);
      const compiled = library.jit(compute);
      // A call consumes its inputs, unless they are given as references.
      const call = () => compiled(...inputs.map((input) => input.ref));
      return {
        note,
        async call() {
          for (let i = 1; i < batch; i++) call().dispose();
          const result = call();
          await result.blockUntilReady();
          result.dispose();
        },
        output: async () => compared(await call().data()),
      };
    },
  };
}

/**
 * @param build - `() => ({ model: bytes, feeds: { name: [type, shape, data] } })`
 * @param options - `variant` is appended to the name.
 */
export function onnxruntime(build, { batch, compared, variant }) {
  return {
    name: ["onnxruntime-web on webgpu", variant].filter(Boolean).join(", "),
    kind: "peer",
    resident: "all",
    async prepare() {
      const { note } = await noted();
      const ort = await import("onnxruntime-web/webgpu");
      ort.env.logLevel = "error";
      const { model, feeds } = build();
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ["webgpu"],
        preferredOutputLocation: "gpu-buffer",
        logSeverityLevel: 3,
      });
      const device = await ort.env.webgpu.device;
      const usage = 4 | 8 | 128; // COPY_SRC | COPY_DST | STORAGE
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([name, [dataType, dims, data]]) => {
          const buffer = device.createBuffer({
            size: Math.max(16, 4 * Math.ceil(data.byteLength / 4)),
            usage,
          });
          device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
          return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType, dims })];
        }),
      );
      const run = async () => (await session.run(inputs))[session.outputNames[0]];
      return {
        note,
        async call() {
          for (let i = 1; i < batch; i++) (await run()).dispose();
          const last = await run();
          await device.queue.onSubmittedWorkDone();
          last.dispose();
        },
        output: async () => compared(await (await run()).getData()),
      };
    },
  };
}
