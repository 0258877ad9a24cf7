import type { Engine } from "../engine.js";
import { Failure } from "../failure.js";
import type { GpuInstance, GpuJs, GpuKernel } from "../gpujs.js";
import { textureLayout } from "./layout.js";

/** The part of gpu.js's texture that is used here. */
type GlTexture = {
  readonly texture: WebGLTexture;
  readonly kernel: unknown;
  delete(): void;
};

export type Texture = {
  /** Number of floats, without those that pad the last texels. */
  readonly length: number;
  readonly bytes: number;
  /** Binary logarithm of the width in texels. */
  readonly bits: number;
  readonly width: number;
  readonly height: number;
  readonly handle: GlTexture;
};

/** One run of a shader. */
export type Run = {
  /** Name of the shader in error messages. */
  readonly name: string;
  /**
   * GLSL that defines `vec4 compute(int i)`, which returns elements 4i … 4i + 3 of the result. For an input `x`, `x4(i)` is
   * its texel i and `x1(n)` its element n; `xPlace(i)`, `xBy(place)` and `xNext` read consecutive texels; `xHere()` is `x4(i)`
   * with the thread's own i, for inputs whose texture has the layout of the result. Sizes are literals in the text, so that loops
   * have constant bounds. With several results, `compute` returns the first and sets the variables `result1`, `result2` and so on.
   */
  readonly text: string;
  readonly inputs: Readonly<Record<string, Texture>>;
  /** Integers by name that may change from call to call without compiling again. */
  readonly ints?: Readonly<Record<string, number>>;
  /** Floats, likewise. */
  readonly floats?: Readonly<Record<string, number>>;
  /** Length of each result. */
  readonly length: number;
};

/** Largest number of results of a shader: every WebGL2 implementation has at least four draw buffers. */
export const maxResults = 4;

/** Capacity of the cache of compiled kernels. The least recently used one is evicted. */
const maxKernels = 192;

/**
 * gpu.js in mode webgl2, which compiles, binds and draws. The kernels are GLSL, passed to gpu.js as native functions: its
 * JavaScript has no vectors, no bit operations and no integers, divides for every fetch, and stops loops with unknown bounds
 * after 1000 iterations.
 */
export class Shaders implements Engine<Texture> {
  readonly mode = "webgl2";
  readonly gl: WebGL2RenderingContext;
  readonly maxTextureSize: number;
  readonly #gpu: GpuInstance;
  readonly #kernels = new Map<string, { kernel: GpuKernel; bytes: number }>();
  #wrap: ((texture: WebGLTexture, width: number, height: number) => GlTexture) | undefined;
  #framebuffer: WebGLFramebuffer | null = null;
  /** Bytes of the textures that compiled kernels keep for their next result. */
  #idleBytes = 0;
  #liveTextures = 0;

  constructor(GPU: GpuJs, gl: WebGL2RenderingContext, maxTextureSize: number) {
    this.gl = gl;
    this.maxTextureSize = Math.min(maxTextureSize, gl.getParameter(gl.MAX_TEXTURE_SIZE) as number);
    // gpu.js sets the size of its canvas to that of the largest texture, which allocates memory: it gets a plain object instead.
    this.#gpu = new GPU({ mode: "webgl2", context: gl, canvas: { width: 2, height: 2 } });
  }

  /** Number of textures that hold tensors. */
  get textures(): number {
    return this.#liveTextures;
  }

  get compiled(): number {
    return this.#kernels.size;
  }

  idleBytes(): number {
    return this.#idleBytes;
  }

  lost(): boolean {
    return this.gl.isContextLost();
  }

  run(run: Run): Texture {
    return this.runAll(run, 1)[0]!;
  }

  /** Runs a shader with several results, and returns a texture for each. */
  runAll(run: Run, results: number): Texture[] {
    if (this.lost()) throw new Failure("lost", "the WebGL context was lost");
    const { inputs, ints = {}, floats = {}, length } = run;
    const size = this.#sizeFor(length);
    const names = Object.keys(inputs);
    const textures = Object.values(inputs);
    const intNames = Object.keys(ints);
    const floatNames = Object.keys(floats);
    const sizes = textures.map(({ width, height }) => `${width}x${height}`);
    const key = [run.text, results, names, sizes, intNames, floatNames, size.width, size.height].join("|");
    let entry = this.#kernels.get(key);
    // Deleted and set again, so that the order of the map is the order of use.
    if (entry) this.#kernels.delete(key);
    else {
      this.#evictIfFull();
      const bytes = size.width * size.height * 16 * results;
      entry = { kernel: this.#compile(run, results, names, textures, intNames, floatNames, size), bytes };
      this.#idleBytes += bytes;
    }
    this.#kernels.set(key, entry);
    let handles: GlTexture[];
    try {
      const made = entry.kernel(
        ...textures.map((texture) => texture.handle),
        ...Object.values(ints),
        ...Object.values(floats),
      );
      handles = results === 1 ? [made as GlTexture] : Object.values(made as Record<string, GlTexture>);
    } catch (cause) {
      this.#deleteKernel(key);
      if (this.lost()) throw new Failure("lost", "the WebGL context was lost", cause);
      throw new Failure("compile", `the shader of ${run.name} was refused`, cause);
    }
    this.#wrap ??= textureWrapper(handles[0]!);
    this.#liveTextures += results;
    return handles.map((handle) => ({ length, bytes: size.width * size.height * 16, ...size, handle }));
  }

  upload(numbers: Float32Array): Texture {
    const { gl } = this;
    if (this.lost()) throw new Failure("lost", "the WebGL context was lost");
    const size = this.#sizeFor(numbers.length);
    // Textures need gpu.js's wrapper class, which only a result of gpu.js shows.
    if (!this.#wrap) this.free(this.run({ name: "start", text: startText, inputs: {}, length: 4 }));
    const full = size.width * size.height * 4;
    let texels = numbers;
    if (full !== numbers.length) {
      texels = new Float32Array(full);
      texels.set(numbers);
    }
    const texture = gl.createTexture()!;
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, size.width, size.height, 0, gl.RGBA, gl.FLOAT, texels);
    this.#liveTextures += 1;
    const handle = this.#wrap!(texture, size.width, size.height);
    return { length: numbers.length, bytes: full * 4, ...size, handle };
  }

  read(texture: Texture): Float32Array {
    const { gl } = this;
    const numbers = new Float32Array(texture.width * texture.height * 4);
    this.#bind(texture);
    gl.readPixels(0, 0, texture.width, texture.height, gl.RGBA, gl.FLOAT, numbers);
    this.#check();
    return numbers.subarray(0, texture.length);
  }

  async fetch(texture: Texture): Promise<Float32Array> {
    const { gl } = this;
    const numbers = new Float32Array(texture.width * texture.height * 4);
    this.#bind(texture);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, numbers.byteLength, gl.STREAM_READ);
    gl.readPixels(0, 0, texture.width, texture.height, gl.RGBA, gl.FLOAT, 0);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    if (fence) {
      // Busy polling would take a CPU core from a software renderer: the next poll waits for an eighth of the time so far.
      const start = performance.now();
      while (!this.lost() && gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED)
        await pause((performance.now() - start) / 8);
      gl.deleteSync(fence);
    }
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, numbers);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    gl.deleteBuffer(buffer);
    this.#check();
    return numbers.subarray(0, texture.length);
  }

  free(texture: Texture): void {
    this.#liveTextures -= 1;
    const { handle } = texture;
    handle.delete();
    // gpu.js does not delete textures of a kernel that was destroyed meanwhile.
    if (!((handle.texture as { _refs?: number })._refs! > 0)) this.gl.deleteTexture(handle.texture);
  }

  close(): void {
    for (const key of [...this.#kernels.keys()]) this.#deleteKernel(key);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #sizeFor(length: number) {
    const size = textureLayout(Math.ceil(length / 4));
    const max = this.maxTextureSize;
    if (size.width > max || size.height > max) {
      const limit = `${(4 * max * max) / 2 ** 20} Mi numbers in a texture of ${max} × ${max}`;
      throw new Failure("size", `${length} numbers, and this adapter takes ${limit}`);
    }
    return size;
  }

  #compile(
    { text, name }: Run,
    results: number,
    names: string[],
    textures: Texture[],
    intNames: string[],
    floatNames: string[],
    { width, height, bits }: { width: number; height: number; bits: number },
  ): GpuKernel {
    const readers = names.map((input, i) => readerText(input, textures[i]!));
    // gpu.js's kernel maps: each function that the kernel calls returns one more result.
    const more = Array.from({ length: results - 1 }, (_, r) => r + 1);
    const maps = Object.fromEntries(
      more.map((r) => [`map${r}`, `function map${r}() { return readResult${r}(); }`]),
    );
    const aliases = [...intNames, ...floatNames].map((name) => `#define ${name} user_${name}`);
    const start = `vec4 start() { return compute(int(gl_FragCoord.x) + (int(gl_FragCoord.y) << ${bits})); }`;
    const source = [...aliases, ...readers, text, start, ""].join("\n");
    const args = [...names, ...intNames, ...floatNames];
    const calls = more.map((r) => `map${r}(); `).join("");
    const main = `function ${name}(${args.join(", ")}) { const first = start(); ${calls}return first; }`;
    const native = (name: string, source: string) => ({
      name,
      source,
      argumentTypes: {},
      returnType: "Array(4)",
    });
    try {
      const settings = {
        output: [width, height],
        precision: "single",
        tactic: "precision",
        pipeline: true,
        immutable: true,
        nativeFunctions: [
          native("start", source),
          ...more.map((r) =>
            native(`readResult${r}`, `vec4 result${r};\nvec4 readResult${r}() { return result${r}; }\n`),
          ),
        ],
        argumentTypes: [
          ...names.map(() => "ArrayTexture(4)"),
          ...intNames.map(() => "Integer"),
          ...floatNames.map(() => "Float"),
        ],
        returnType: "Array(4)",
      };
      return results === 1
        ? this.#gpu.createKernel(main, settings)
        : this.#gpu.createKernelMap(maps, main, settings);
    } catch (cause) {
      throw new Failure("compile", `the shader of ${name} was refused`, cause);
    }
  }

  #evictIfFull(): void {
    if (this.#kernels.size < maxKernels) return;
    this.#deleteKernel(this.#kernels.keys().next().value!);
  }

  #deleteKernel(key: string): void {
    const entry = this.#kernels.get(key);
    if (!entry) return;
    this.#kernels.delete(key);
    this.#idleBytes -= entry.bytes;
    // With an empty cache, gpu.js does not delete the textures that this kernel made: some are results in use.
    const { kernel } = entry.kernel;
    kernel.textureCache.length = 0;
    entry.kernel.destroy();
    const at = this.#gpu.kernels.indexOf(kernel);
    if (at >= 0) this.#gpu.kernels.splice(at, 1);
  }

  #bind({ handle }: Texture): void {
    const { gl } = this;
    this.#framebuffer ??= gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, handle.texture, 0);
  }

  /** Throws after a read if the context was lost, which reads as zeros without an error, or if memory ran out. */
  #check(): void {
    const { gl } = this;
    const complete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    const error = gl.getError();
    if (this.lost() || error === gl.CONTEXT_LOST_WEBGL)
      throw new Failure("lost", "the WebGL context was lost");
    if (error === gl.OUT_OF_MEMORY) throw new Failure("memory", "the GPU ran out of memory");
    if (!complete) throw new Failure("memory", "the texture has no memory");
  }
}

const startText = "vec4 compute(int i) { return vec4(float(i)); }";

/**
 * GLSL functions that read one input. They call `texture` with the centre of a texel, which takes a software renderer half the
 * time of `texelFetch`. Within one row of the texture, `xBy(place)` with `place.x += xNext` needs no integers: places are exact
 * because the width is a power of two.
 */
function readerText(name: string, { bits, width, height }: Texture): string {
  const [x, y] = [1 / width, 1 / height].map((step) => step.toExponential(9));
  return `vec2 ${name}Place(int i) {
  return (vec2(float(i & ${width - 1}), float(i >> ${bits})) + 0.5) * vec2(${x}, ${y});
}
const float ${name}Next = ${x};
vec4 ${name}By(vec2 place) { return texture(user_${name}, place); }
vec4 ${name}Here() { return ${name}By(gl_FragCoord.xy * vec2(${x}, ${y})); }
vec4 ${name}4(int i) { return ${name}By(${name}Place(i)); }
float ${name}1(int n) { return ${name}4(n >> 2)[n & 3]; }`;
}

/** A function that wraps a texture in gpu.js's texture class, taken from one of its results. */
function textureWrapper(example: GlTexture) {
  const { kernel } = example;
  const Class = example.constructor as new (settings: Record<string, unknown>) => GlTexture;
  const { context, internalFormat, textureFormat } = example as unknown as Record<string, unknown>;
  return (texture: WebGLTexture, width: number, height: number) =>
    new Class({
      texture,
      size: [width, height],
      dimensions: [width, height, 1],
      output: [width, height],
      context,
      kernel,
      internalFormat,
      textureFormat,
    });
}

/** Yields to the event loop for a number of milliseconds; below one, once by a message, which is faster than a timer. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds >= 1) return void setTimeout(resolve, milliseconds);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
