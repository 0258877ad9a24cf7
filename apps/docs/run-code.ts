import { connect, type ControlValue, type Message } from "@qkv/page";
import { transform } from "sucrase";

/** Runs an example in this process, on the sources of the packages, and returns its messages. */
export async function runCode(code: string, values: Readonly<Record<string, ControlValue>> = {}) {
  const { code: plain } = transform(code, { transforms: ["typescript", "imports"] });
  const modules = new Map<string, unknown>();
  for (const [, name = ""] of plain.matchAll(/require\('([^']+)'\)/g))
    modules.set(name, await import(/* @vite-ignore */ name));
  const messages: Message[] = [];
  connect({ post: (message) => messages.push(message), values });
  try {
    await new Function("require", "exports", `return (async () => {${plain}\n})()`)(
      (name: string) => modules.get(name),
      {},
    );
  } finally {
    connect(undefined);
  }
  return messages;
}
