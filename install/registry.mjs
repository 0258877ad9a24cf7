// A registry on this machine that has ours as it would be published; what it lacks it asks the registry that npm is
// set to.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packAll } from "../scripts/pack.mjs";
import { toolFile } from "./tools.mjs";

const windows = process.platform === "win32";

/**
 * Starts it and publishes every public package to it.
 *
 * @param {string} folder - An empty folder for what it keeps.
 * @returns {Promise<{ url: string, env: NodeJS.ProcessEnv, stop: () => Promise<void> }>} Its address, the environment in which
 *   npm, Deno and Bun ask it and nobody else, and how to end it.
 */
export async function startRegistry(folder) {
  const above = execFileSync("npm", ["config", "get", "registry"], {
    encoding: "utf8",
    shell: windows,
  }).trim();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = {
    storage: join(folder, "storage"),
    uplinks: { above: { url: above, timeout: "120s", max_fails: 20, maxage: "1h" } },
    packages: {
      "@qkv/*": { access: "$all", publish: "$all" },
      qkv: { access: "$all", publish: "$all" },
      "create-qkv": { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "above" },
    },
    auth: { htpasswd: { file: join(folder, "users") } },
    log: { type: "stdout", format: "pretty", level: "fatal" },
    web: { enable: false },
    max_body_size: "200mb",
  };
  const file = join(folder, "verdaccio.yaml");
  writeFileSync(file, JSON.stringify(config, null, 2)); // JSON is YAML, too
  const server = spawn(
    process.execPath,
    [toolFile("verdaccio/bin/verdaccio"), "--config", file, "--listen", url],
    // It warns of root, which nothing here is in danger of.
    { cwd: folder, env: { ...process.env, NODE_NO_WARNINGS: "1" }, stdio: ["ignore", "ignore", "inherit"] },
  );
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = () => {
    server.kill("SIGKILL"); // what it would still write is of no use
    return ended;
  };
  try {
    await answers(`${url}-/ping`, server);
    const env = environment(folder, url);
    publishAll(folder, env);
    return { url, env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ours, and none of what the shell says of npm: it would win over the registry named here. */
function environment(folder, url) {
  const user = join(folder, "npmrc");
  // npm publishes for nobody without a token; this registry takes any.
  writeFileSync(user, `registry=${url}\n//${new URL(url).host}/:_authToken=anybody\n`);
  const own = /^(npm_|pnpm_|bun_config_|node_options|node_path|init_cwd)/i;
  const inherited = Object.entries(process.env).filter(([name]) => !own.test(name));
  return {
    ...Object.fromEntries(inherited),
    npm_config_userconfig: user,
    npm_config_cache: join(folder, "npm-cache"),
    npm_config_registry: url,
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    NPM_CONFIG_REGISTRY: url,
    DENO_DIR: join(folder, "deno-cache"),
    DENO_NO_UPDATE_CHECK: "1",
    BUN_CONFIG_REGISTRY: url,
    BUN_INSTALL_CACHE_DIR: join(folder, "bun-cache"),
    NEXT_TELEMETRY_DISABLED: "1",
  };
}

function publishAll(folder, env) {
  const tarballs = join(folder, "tarballs");
  mkdirSync(tarballs);
  for (const tarball of packAll(tarballs).values()) {
    execFileSync("npm", ["publish", tarball, "--ignore-scripts"], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      shell: windows,
    });
  }
}

async function answers(url, server) {
  // A busy machine is slow, not wrong.
  for (let tries = 0; tries < 3000 && server.exitCode === null; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`The registry does not answer at ${url}; its process ended with ${server.exitCode}.`);
}

/** A port of this machine that nobody listens to. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
