import { spawn } from "node:child_process";

/** Programs that open a URL in the default browser, by platform. */
const programs: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Opens a URL in the default browser. Does nothing if that fails. */
export function openBrowser(address: string): void {
  const [program, ...words] = programs[process.platform] ?? ["xdg-open"];
  const opened = spawn(program!, [...words, address], { stdio: "ignore", detached: true });
  opened.on("error", () => undefined);
  opened.unref();
}
