// A service that writes: POST /generate { "prompt": "Once upon a time" } streams the text as it is written.
import { createServer } from "node:http";
import { generate, load, modelTiny } from "qkv";

const port = Number(process.env.PORT ?? 3000);
const mostBytes = 100_000;

// A small model that comes with qkv. Yours: load("Qwen/Qwen3-0.6B", { quantize: "int8" }), or a folder, or a GGUF file.
const model = await load(await modelTiny());

const server = createServer(async (request, response) => {
  const refuse = (status, error) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ error }));
  };
  if (request.url === "/health") return response.end("ok\n");
  if (request.url !== "/generate") return refuse(404, "POST /generate or GET /health");
  if (request.method !== "POST") return refuse(405, "POST a JSON object with a prompt");
  const body = await readJson(request).catch(() => undefined);
  const { prompt, maxTokens = 100, temperature = 0.7, seed } = body ?? {};
  if (typeof prompt !== "string" || prompt === "")
    return refuse(400, 'send { "prompt": "Once upon a time" }');

  // Who leaves needs no more tokens.
  const left = new AbortController();
  response.on("close", () => left.abort());
  try {
    const options = {
      maxTokens,
      sampling: { temperature, ...(seed !== undefined && { seed }) },
      signal: left.signal,
    };
    for await (const { text } of generate(model, prompt, options)) {
      if (!response.headersSent) response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
      response.write(text);
    }
    response.end();
  } catch (error) {
    if (left.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else refuse(400, error.message);
  }
});

async function readJson(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > mostBytes) throw new Error("too long");
  }
  return JSON.parse(text);
}

server.listen(port, () => console.log(`http://localhost:${server.address().port}/generate`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close().closeAllConnections());
