import { spawn } from "node:child_process";

/** Programs of each system that open an address in the reader's browser. */
const programs: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Opens an address in the browser; a system without one does nothing. */
export function openBrowser(address: string): void {
  const [program, ...words] = programs[process.platform] ?? ["xdg-open"];
  const opened = spawn(program!, [...words, address], { stdio: "ignore", detached: true });
  opened.on("error", () => undefined);
  opened.unref();
}
