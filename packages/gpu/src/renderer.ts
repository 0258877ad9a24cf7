/** A context of our own, in a page or a worker. */
export function openContext(): WebGL2RenderingContext | null {
  const canvas =
    typeof OffscreenCanvas !== "undefined"
      ? new OffscreenCanvas(2, 2)
      : typeof document !== "undefined"
        ? document.createElement("canvas")
        : undefined;
  const gl = canvas?.getContext("webgl2", { alpha: false, depth: false, antialias: false });
  if (!gl || !("texImage2D" in gl) || !gl.getExtension("EXT_color_buffer_float")) return null;
  return gl as WebGL2RenderingContext;
}

/** The adapter's name; true if it is software on the CPU. */
export function rendererOf(gl: WebGL2RenderingContext): { name: string; software: boolean } {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return { name, software: isSoftware(name) };
}

/** Returns true if the renderer of this name is software on the CPU. */
export function isSoftware(name: string): boolean {
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}
