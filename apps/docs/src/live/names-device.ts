/** True for code that creates its own device, or names the plain one. */
export const namesDevice = (code: string): boolean =>
  /^import\s[^;]*?from\s*"@qkv\/(?:wasm|webgpu|gpu|device)(?:\/[\w-]+)?"/m.test(code) ||
  /^import\s*\{[^}]*\bjs\b[^}]*\}\s*from\s*"@qkv\/tensor"/m.test(code);
