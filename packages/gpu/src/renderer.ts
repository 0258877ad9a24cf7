/**
 * Creates a WebGL2 context with float textures, in a page or a worker.
 *
 * @returns Null where there is none.
 */
export function openContext(): WebGL2RenderingContext | null {
  const gl = createCanvas()?.getContext("webgl2", { alpha: false, depth: false, antialias: false });
  if (!gl || !("texImage2D" in gl) || !gl.getExtension("EXT_color_buffer_float")) return null;
  return gl as WebGL2RenderingContext;
}

function createCanvas(): OffscreenCanvas | HTMLCanvasElement | undefined {
  if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(2, 2);
  if (typeof document !== "undefined") return document.createElement("canvas");
  return undefined;
}

/** Name of the renderer, and whether it is software on the CPU. */
export function describeRenderer(gl: WebGL2RenderingContext): { name: string; software: boolean } {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return { name, software: isSoftware(name) };
}

/** Returns true if the renderer of this name is software on the CPU. */
export function isSoftware(name: string): boolean {
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}
